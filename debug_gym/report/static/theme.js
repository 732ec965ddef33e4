// Light or dark: as the system says, until one chooses.

const KEY = "debug-gym-theme";

/** Read or keep the choice; a browser may refuse both for a file. */
function stored(value) {
  try {
    if (value !== undefined) localStorage.setItem(KEY, value);
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

const set = (theme) => theme && document.documentElement.setAttribute("data-theme", theme);

/** Apply an earlier choice. */
export const startTheme = () => set(stored());

/** Change between light and dark. */
export function toggleTheme() {
  const dark =
    document.documentElement.dataset.theme ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const next = dark === "dark" ? "light" : "dark";
  set(next);
  stored(next);
}
