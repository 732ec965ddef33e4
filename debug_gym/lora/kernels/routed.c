/* Routed LoRA on a CPU in float32: each token adds the experts it chose, nothing is copied or computed twice.

   The experts' A is stored as (experts, chunks, in, 16), chunks of 16 ranks; their B as (experts, rank, out), scaled;
   rank is a multiple of 16. Tokens are grouped by expert, so that weights are read once for all of them. Threads
   share the experts on the way down and the columns on the way up: no result depends on their number. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define W 16
#ifdef __AVX512F__
#define DOWN 12 /* tokens whose sums stay in registers on the way down, and rows and vectors on the way up */
#define UP_TOKENS 6
#define UP_VECTORS 4
#else
#define DOWN 4
#define UP_TOKENS 2
#define UP_VECTORS 2
#endif

typedef float vec __attribute__((vector_size(4 * W), aligned(4)));

/* Down: z = A x for `count` tokens, one chunk of ranks. */
static inline __attribute__((always_inline)) void down_block(
    const float *a, const float *const *x, const float *weight, float *const *z, int64_t inside, int count) {
    vec sums[DOWN];
    for (int t = 0; t < count; t++) sums[t] = (vec){0};
    for (int64_t i = 0; i < inside; i++) {
        vec row = *(const vec *)(a + i * W);
        for (int t = 0; t < count; t++) sums[t] += row * x[t][i];
    }
    for (int t = 0; t < count; t++) *(vec *)z[t] = sums[t] * weight[t];
}

/* One token: several sums in turn, as each addition waits for the one before it. */
static void down_one(const float *a, const float *x, float weight, float *z, int64_t inside) {
    vec sums[8] = {{0}};
    int64_t i = 0;
    for (; i + 8 <= inside; i += 8)
        for (int s = 0; s < 8; s++) sums[s] += *(const vec *)(a + (i + s) * W) * x[i + s];
    for (; i < inside; i++) sums[0] += *(const vec *)(a + i * W) * x[i];
    for (int s = 1; s < 8; s++) sums[0] += sums[s];
    *(vec *)z = sums[0] * weight;
}

static void down(const float *a, const float *const *x, const float *weight, float *const *z, int64_t inside, int64_t count) {
    int64_t t = 0;
    for (; t + DOWN <= count; t += DOWN) down_block(a, x + t, weight + t, z + t, inside, DOWN);
    for (; t + DOWN / 2 <= count; t += DOWN / 2) down_block(a, x + t, weight + t, z + t, inside, DOWN / 2);
    for (; t < count; t++) down_one(a, x[t], weight[t], z[t], inside);
}

/* Up: y += B z for `count` tokens and `vectors` vectors of columns. */
static inline __attribute__((always_inline)) void up_block(
    const float *b, const float *const *z, float *const *y, int64_t rank, int64_t stride, int64_t at, int count, int vectors) {
    vec sums[UP_TOKENS][UP_VECTORS];
    for (int t = 0; t < count; t++)
        for (int v = 0; v < vectors; v++) sums[t][v] = *(const vec *)(y[t] + at + v * W);
    for (int64_t r = 0; r < rank; r++) {
        vec row[UP_VECTORS];
        for (int v = 0; v < vectors; v++) row[v] = *(const vec *)(b + r * stride + at + v * W);
        for (int t = 0; t < count; t++)
            for (int v = 0; v < vectors; v++) sums[t][v] += row[v] * z[t][r];
    }
    for (int t = 0; t < count; t++)
        for (int v = 0; v < vectors; v++) *(vec *)(y[t] + at + v * W) = sums[t][v];
}

static void up(const float *b, const float *const *z, float *const *y, int64_t rank, int64_t stride, int64_t from, int64_t to, int64_t count) {
    int64_t at = from;
    for (; at + UP_VECTORS * W <= to; at += UP_VECTORS * W) {
        int64_t t = 0;
        for (; t + UP_TOKENS <= count; t += UP_TOKENS) up_block(b, z + t, y + t, rank, stride, at, UP_TOKENS, UP_VECTORS);
        for (; t < count; t++) up_block(b, z + t, y + t, rank, stride, at, 1, UP_VECTORS);
    }
    for (; at + W <= to; at += W)
        for (int64_t t = 0; t < count; t++) up_block(b, z + t, y + t, rank, stride, at, 1, 1);
    for (; at < to; at++)
        for (int64_t t = 0; t < count; t++) {
            float sum = y[t][at];
            for (int64_t r = 0; r < rank; r++) sum += b[r * stride + at] * z[t][r];
            y[t][at] = sum;
        }
}

/* The pairs of token and expert of one linear, sorted by expert. */
typedef struct {
    int64_t *start; /* (experts + 1) */
    const float **x;
    float **y, **z, *weight, *store;
} Pairs;

static int sort_pairs(
    Pairs *p, const float *h, float *y, const int64_t *index, const float *weight,
    int64_t n, int64_t k, int64_t inside, int64_t outside, int64_t experts, int64_t rank) {
    int64_t total = n * k;
    p->start = calloc((size_t)experts + 2, sizeof *p->start);
    p->x = malloc((size_t)total * sizeof *p->x);
    p->y = malloc((size_t)total * sizeof *p->y);
    p->z = malloc((size_t)total * sizeof *p->z);
    p->weight = malloc((size_t)total * sizeof *p->weight);
    p->store = malloc((size_t)(total * rank) * sizeof *p->store);
    if (!p->start || !p->x || !p->y || !p->z || !p->weight || !p->store) return 0;
    int64_t *next = p->start + 1;
    for (int64_t i = 0; i < total; i++)
        if (weight[i] != 0) next[index[i] + 1]++;
    for (int64_t e = 0; e < experts; e++) next[e + 1] += next[e];
    for (int64_t i = 0; i < total; i++) {
        if (weight[i] == 0) continue;
        int64_t at = next[index[i]]++;
        p->x[at] = h + i / k * inside;
        p->y[at] = y + i / k * outside;
        p->z[at] = p->store + at * rank;
        p->weight[at] = weight[i];
    }
    return 1;
}

static void free_pairs(Pairs *p) {
    free(p->start), free(p->x), free(p->y), free(p->z), free(p->weight), free(p->store);
}

/* y[j] (n, outs[j]) += the experts that index and weight (linears, n, k) name, for every linear j.
   Returns 0, or 1 when there is no memory. */
int debug_gym_add(
    const float *h, int64_t n, int64_t inside, const int64_t *index, const float *weight, int64_t k,
    int64_t linears, int64_t experts, int64_t rank, const float *const *a, const float *const *b,
    const int64_t *outs, float *const *y, int threads) {
    int64_t chunks = rank / W;
    for (int64_t j = 0; j < linears; j++) {
        Pairs p = {0};
        if (!sort_pairs(&p, h, y[j], index + j * n * k, weight + j * n * k, n, k, inside, outs[j], experts, rank)) {
            free_pairs(&p);
            return 1;
        }
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
        for (int64_t e = 0; e < experts; e++)
            for (int64_t c = 0; c < chunks; c++) {
                int64_t from = p.start[e], count = p.start[e + 1] - from;
                const float *part = a[j] + (e * chunks + c) * inside * W;
                if (c) for (int64_t t = from; t < from + count; t++) p.z[t] += W;
                down(part, p.x + from, p.weight + from, p.z + from, inside, count);
            }
        if (chunks > 1)
            for (int64_t t = 0; t < p.start[experts]; t++) p.z[t] -= (chunks - 1) * W;
        int64_t strip = UP_VECTORS * W;
        int64_t strips = (outs[j] + strip - 1) / strip;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
        for (int64_t s = 0; s < strips; s++) {
            int64_t to = (s + 1) * strip < outs[j] ? (s + 1) * strip : outs[j];
            for (int64_t e = 0; e < experts; e++)
                up(b[j] + e * rank * outs[j], (const float *const *)p.z + p.start[e], p.y + p.start[e],
                   rank, outs[j], s * strip, to, p.start[e + 1] - p.start[e]);
        }
        free_pairs(&p);
    }
    return 0;
}

/* The k best of scores (n, linears, experts) for each token and linear, and the softmax over them: index and weight
   (linears, n, k). Unless signed, the scores' magnitudes count. The first of equal scores wins. */
void debug_gym_choose(
    float *scores, int64_t n, int64_t linears, int64_t experts, int64_t k, float temperature, int sign,
    const float *bias, const float *lengths, int64_t *index, float *weight) {
    for (int64_t t = 0; t < n; t++)
        for (int64_t j = 0; j < linears; j++) {
            float *row = scores + (t * linears + j) * experts;
            int64_t *found = index + (j * n + t) * k;
            float *share = weight + (j * n + t) * k, total = 0;
            if (!sign) for (int64_t e = 0; e < experts; e++) row[e] = fabsf(row[e]);
            if (lengths) for (int64_t e = 0; e < experts; e++) row[e] /= lengths[t];
            if (bias) for (int64_t e = 0; e < experts; e++) row[e] += bias[j * experts + e];
            for (int64_t s = 0; s < k; s++) {
                float most = -INFINITY;
                for (int64_t e = 0; e < experts; e++) most = row[e] > most ? row[e] : most;
                int64_t best = 0;
                while (best < experts - 1 && row[best] != most) best++;
                found[s] = best, share[s] = most, row[best] = -INFINITY;
            }
            float top = share[0];
            for (int64_t s = 0; s < k; s++) total += share[s] = expf((share[s] - top) / temperature);
            for (int64_t s = 0; s < k; s++) share[s] /= total;
        }
}
