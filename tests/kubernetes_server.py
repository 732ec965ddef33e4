"""The part of a Kubernetes API server that the gym asks, over containers of Docker in the place of pods.

No API server can be had from a package registry. This one takes the manifests strictly, starts what they say with
their walls, and speaks ``v4.channel.k8s.io``; it has no scheduler, no kubelet and no etcd.
"""

import asyncio
import json
import socket
import threading
from contextlib import contextmanager

from aiohttp import WSMsgType, web
from kubernetes.client import models

BASE = "/api/v1/namespaces/{namespace}/pods"
VERSION = dict.fromkeys(("gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"), "")
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"


class ApiServer:
    """What tests change: how many pods the quota allows, whether policies are enforced, what is refused."""

    def __init__(self):
        self.quota, self.enforces, self.failures = 100, True, 0
        self.unschedulable, self.forbidden = False, set()
        self.pods, self.policies, self.calls, self.playing = {}, {}, [], []
        self.port = 0

    # -- pods --------------------------------------------------------------------------------------

    async def create(self, request):
        wanted = await request.json()
        if wrong := unknown_field(wanted, models.V1Pod, "pod"):
            return status(422, "Invalid", f"strict decoding error: unknown field {wrong}")
        live = [pod for pod in self.pods.values() if pod["status"]["phase"] in {"Pending", "Running"}]
        if len(live) >= self.quota:
            return status(403, "Forbidden", f"exceeded quota: pods, used: {len(live)}, limited: {self.quota}")
        pod = {"apiVersion": "v1", "kind": "Pod", **wanted, "status": {"phase": "Pending"}}
        self.pods[wanted["metadata"]["name"]] = pod
        if self.unschedulable:
            said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
            pod["status"]["conditions"] = [
                {**said, "message": "0/3 nodes are available: 3 Insufficient memory."}
            ]
        else:
            self.playing.append(asyncio.create_task(self.play(pod)))
        return answer(pod, 201)

    async def play(self, pod):
        """What a node does."""
        (container,) = pod["spec"]["containers"]
        walls, limits = container["securityContext"], container["resources"]["limits"]
        options = [
            "--name",
            pod["metadata"]["name"],
            "--label",
            "debug-gym-test=pod",
            "--entrypoint",
            container["command"][0],
        ]
        options += ["--user", f"{walls['runAsUser']}:{walls['runAsGroup']}", "--memory", limits["memory"]]
        options += [f"--cap-drop={name}" for name in walls["capabilities"]["drop"]]
        options += [f"--cap-add={name}" for name in walls["capabilities"]["add"]]
        options += ["--security-opt", "no-new-privileges"] if not walls["allowPrivilegeEscalation"] else []
        options += [
            "--network",
            "none" if self.fenced(pod) else "bridge",
            "--hostname",
            pod["spec"]["hostname"],
        ]
        options += ["-e", "KUBERNETES_SERVICE_HOST=172.17.0.1", "-e", f"KUBERNETES_SERVICE_PORT={self.port}"]
        image = container["image"]
        code, said = await docker("run", "--detach", *options, image, *container["command"][1:])
        if code:
            waiting = {"reason": "ErrImagePull", "message": said.strip().rpartition("\n")[2]}
            pod["status"]["containerStatuses"] = [_status(waiting=waiting)]
            return
        pod["status"]["phase"] = "Running"
        _, said = await docker("wait", pod["metadata"]["name"])
        pod["status"]["phase"] = "Succeeded" if said.strip() == "0" else "Failed"

    def fenced(self, pod):
        """Whether a policy that selects this pod closes its network, in a cluster that heeds policies."""
        labels = pod["metadata"]["labels"].items()
        selectors = [policy["spec"]["podSelector"]["matchLabels"] for policy in self.policies.values()]
        return self.enforces and any(selector.items() <= labels for selector in selectors)

    async def read(self, request):
        pod = self.pods.get(request.match_info["name"])
        return answer(pod) if pod else status(404, "NotFound", "pod not found")

    async def list(self, request):
        key, _, value = request.query.get("labelSelector", "=").partition("=")
        chosen = [pod for pod in self.pods.values() if pod["metadata"]["labels"].get(key) == value]
        return answer({"apiVersion": "v1", "kind": "PodList", "items": chosen})

    async def delete(self, request):
        pod = self.pods.pop(request.match_info["name"], None)
        if pod is None:
            return status(404, "NotFound", "pod not found")
        await docker("rm", "--force", pod["metadata"]["name"])
        return answer(pod)

    async def execute(self, request):
        """``exec``: a WebSocket whose messages begin with the number of their stream."""
        name = request.match_info["name"]
        if self.pods.get(name, {}).get("status", {}).get("phase") != "Running":
            return status(400, "BadRequest", f"pod {name} does not have a running container")
        connected = web.WebSocketResponse(protocols=("v4.channel.k8s.io",), max_msg_size=1 << 22)
        await connected.prepare(request)
        pipe = asyncio.subprocess.PIPE
        command = ["docker", "exec", "--interactive", name, *request.query.getall("command")]
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)

        async def pump(stream, number):
            while data := await stream.read(65536):
                await connected.send_bytes(bytes([number]) + data)

        async def feed():
            async for message in connected:
                if message.type == WSMsgType.BINARY and message.data[:1] == b"\0":
                    process.stdin.write(message.data[1:])
                    await process.stdin.drain()
            process.stdin.close()

        feeding = asyncio.create_task(feed())
        try:
            await asyncio.gather(pump(process.stdout, 1), pump(process.stderr, 2), return_exceptions=True)
            code = await process.wait()
        finally:
            feeding.cancel()
            if process.returncode is None:
                process.kill()
                await process.wait()
        cause = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
        ended = {"status": "Success"} if not code else {"status": "Failure", "details": cause}
        if not connected.closed:
            await connected.send_bytes(b"\3" + json.dumps({"metadata": {}, **ended}).encode())
            await connected.close()
        return connected

    async def version(self, request):
        return web.json_response({"major": "1", "minor": "30", "gitVersion": "v1.30.0", **VERSION})

    async def review(self, request):
        wanted = await request.json()
        asked = wanted["spec"]["resourceAttributes"]
        allowed = f"{asked['verb']} {asked['resource']}/{asked['subresource']}" not in self.forbidden
        return web.json_response({**wanted, "status": {"allowed": allowed}}, status=201)

    # -- policies ----------------------------------------------------------------------------------

    async def close_network(self, request):
        wanted = await request.json()
        if wrong := unknown_field(wanted, models.V1NetworkPolicy, "policy"):
            return status(422, "Invalid", f"strict decoding error: unknown field {wrong}")
        if wanted["metadata"]["name"] in self.policies:
            return status(409, "AlreadyExists", "networkpolicies already exists")
        self.policies[wanted["metadata"]["name"]] = wanted
        return answer(wanted, 201)

    @web.middleware
    async def note(self, request, handler):
        self.calls.append(f"{request.method} {request.path}")
        if self.failures:
            self.failures -= 1
            return status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
        return await handler(request)

    @contextmanager
    def serving(self):
        """The server on a thread of its own."""
        loop = asyncio.new_event_loop()
        app = web.Application(middlewares=[self.note])
        app.add_routes([web.post(BASE, self.create), web.get(BASE, self.list)])
        app.add_routes([web.get(f"{BASE}/{{name}}", self.read), web.delete(f"{BASE}/{{name}}", self.delete)])
        app.add_routes(
            [web.get(f"{BASE}/{{name}}/exec", self.execute), web.post(POLICIES, self.close_network)]
        )
        app.add_routes([web.get("/version/", self.version), web.post(REVIEWS, self.review)])
        runner = web.AppRunner(app, shutdown_timeout=1)
        listening = socket.create_server(("0.0.0.0", 0))
        self.port = listening.getsockname()[1]
        loop.run_until_complete(runner.setup())
        loop.run_until_complete(web.SockSite(runner, listening).start())
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self.end(runner), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def end(self, runner):
        for pod in self.pods.values():
            await docker("rm", "--force", pod["metadata"]["name"])
        await asyncio.gather(*self.playing)
        await runner.cleanup()


async def docker(*words):
    """Exit code and output."""
    pipe, out = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec("docker", *words, stdout=pipe, stderr=out)
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def answer(found, code=200):
    return web.json_response(found, status=code)


def status(code, reason, message):
    said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return web.json_response({**said, "reason": reason, "message": message, "code": code}, status=code)


def _status(**state):
    named = {"name": "sandbox", "image": "", "imageID": "", "ready": False, "restartCount": 0}
    return {**named, "state": state}


def unknown_field(value, kind, where):
    """The path of a field that the API does not know; None: it knows all."""
    fields = {json_name: name for name, json_name in kind.attribute_map.items()}
    for key, item in value.items():
        if key not in fields:
            return f"{where}.{key}"
        inner = kind.openapi_types[fields[key]]
        many = inner.startswith("list[")
        made = getattr(models, inner.removeprefix("list[").removesuffix("]"), None)
        if made is not None and hasattr(made, "attribute_map"):
            for part in item if many else [item]:
                if wrong := unknown_field(part, made, f"{where}.{key}"):
                    return wrong
    return None
