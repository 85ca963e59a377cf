// Paths within the home, as text: no leading slash, "" is the home itself.

export function join(folder: string, name: string): string {
  return folder ? `${folder}/${name}` : name;
}

export function parent(path: string): string {
  const cut = path.lastIndexOf("/");
  return cut === -1 ? "" : path.slice(0, cut);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** From the home down to the folder: each step's name and path. */
export function steps(folder: string): { name: string; path: string }[] {
  const names = folder.split("/").filter(Boolean);
  const below = names.map((name, index) => ({ name, path: names.slice(0, index + 1).join("/") }));
  return [{ name: "Home", path: "" }, ...below];
}

/** The address of a file's content; every part is escaped, so that `#`, `?` and `%` in names are harmless. */
export function contentUrl(path: string): string {
  return `/files/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** Why a name cannot be given to a file, or nothing when it can. (Linux: no slash, no NUL, 255 bytes.) */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "A name is needed.";
  if (name === "." || name === "..") return "That name has a meaning of its own. Choose another.";
  if (name.includes("/") || name.includes("\0")) return "A name cannot contain a slash.";
  if (new TextEncoder().encode(name).length > 255) return "That name is too long.";
  return undefined;
}

const IMAGES = /\.(png|jpe?g|gif|webp|avif|svg|ico|bmp)$/i;

export const isImage = (name: string) => IMAGES.test(name);
