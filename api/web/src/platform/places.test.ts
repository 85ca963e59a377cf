// Keeps: an address means one page, and no link leads elsewhere.
import { expect, test } from "vitest";
import { addressOf, computersHost, doorOf, inviteIn, isHandle, pageAt } from "./places.ts";

test("every address means one page", () => {
  expect(pageAt("/", "").name).toBe("landing");
  expect(pageAt("/signup/", "").name).toBe("signup");
  expect(pageAt("/account", "").name).toBe("account");
  expect(pageAt("/@hamed-os", "")).toEqual({ name: "profile", handle: "hamed-os" });
  for (const path of ["/@", "/@Hamed", "/@xn--a", "/@a/b", "/signup/x", "/hamed"]) expect(pageAt(path, "").name, path).toBe("missing");
});

test("the login page reads a handle and nothing else, so a link cannot lead elsewhere", () => {
  expect(pageAt("/login", "?to=hamed")).toEqual({ name: "login", to: "hamed" });
  for (const to of ["//evil.example", "https://evil.example", "ha.med", "..%2f", "", "Hamed", "javascript:alert(1)"]) {
    expect(pageAt("/login", `?to=${to}`), to).toEqual({ name: "login", to: undefined });
  }
});

test("handles follow the published rule", () => {
  for (const good of ["abc", "a1b", "a-b", "a".repeat(31)]) expect(isHandle(good), good).toBe(true);
  for (const bad of ["", "ab", "1ab", "-ab", "Abc", "ab-", "a--b", "häm", "a".repeat(32), "abc\n"]) expect(isHandle(bad), bad).toBe(false);
});

test("a computer lives below the host that the platform names", () => {
  expect(addressOf("hamed", "localhost:8080")).toBe("hamed.localhost:8080");
  const page = (content: string) => ({ querySelector: (asked: string) => (asked === 'meta[name="computers"]' ? { content } : null) }) as unknown as ParentNode;
  expect(addressOf("hamed", computersHost(page("matrix-os-users.example")))).toBe("hamed.matrix-os-users.example");
  expect(doorOf("hamed")).toBe("/enter/hamed");
});

test("an invitation is read from the fragment only, and only if it can be one", () => {
  expect(inviteIn("#invite=abcdefgh-ABCDEFGH_01")).toBe("abcdefgh-ABCDEFGH_01");
  for (const hash of ["", "#invite=", "#invite=short", "#invite=abcdefghijklmnop/../x", "#other=abcdefghijklmnopqr", "?invite=abcdefghijklmnopqr"]) expect(inviteIn(hash), hash).toBeUndefined();
});
