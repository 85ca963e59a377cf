import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { CODES, adviceOn } from "./errors.ts";
import Rich from "./Rich.tsx";

const html = (text: string) => renderToStaticMarkup(<Rich text={text} />);

describe("what the AI says", () => {
  it("is shown as Markdown", () => {
    expect(html("# Hi\n\n**bold** _it_ `x<1` ~~no~~ a &amp; b")).toMatch(/<h4>Hi<\/h4><p><strong>bold<\/strong> <em>it<\/em> <code>x&lt;1<\/code> <del>no<\/del> a &amp; b<\/p>/);
    expect(html("3. three\n4. four")).toMatch(/<ol start="3"><li>three<\/li><li>four<\/li><\/ol>/);
    expect(html("| a | b |\n|---|--:|\n| 1 | 2 |")).toMatch(/<th scope="col">a<\/th>.*<td data-align="right">2<\/td>/);
    expect(html("```js\nlet a = 1 < 2;\n```")).toContain("<code>let a = 1 &lt; 2;</code>");
    expect(html("one\ntwo")).toContain("one<br/>two");
    expect(html("- [x] done\n- [ ] open")).toMatch(/checked="".*done.*to do.*open/);
    expect(html("- a\n  - b")).toMatch(/<ul><li>a<ul><li>b<\/li><\/ul><\/li><\/ul>/);
  });

  it("never becomes HTML of this page", () => {
    for (const text of [
      "<script>alert(1)</script>",
      "<img src=x onerror=alert(1)>",
      "a <b onclick=alert(1)>b</b>",
      "<iframe src='/apps/todo'></iframe>",
      "<!-- --><svg/onload=alert(1)>",
      "**<img src=x onerror=alert(1)>**",
      "| <img src=x onerror=1> |\n|---|\n| <svg onload=1> |",
      "[<img src=x onerror=1>](https://example.com)",
      "# <style>*{}</style>",
      "&lt;img src=x onerror=alert(1)&gt;",
      "`<img>`",
      "> <form action=/x><button>",
      "[a]: <javascript:alert(1)>\n\n<p>[a]</p>",
    ]) {
      const shown = html(text);
      const tags = [...shown.matchAll(/<([a-z0-9]+)/g)].map(([, tag]) => tag);
      const allowed = ["div", "p", "b", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "a", "h4", "blockquote"];
      expect(tags.filter((tag) => tag === "b" || !allowed.includes(tag!)), `${text} → ${shown}`).toEqual([]);
    }
  });

  it("links to pages only, and fetches nothing", () => {
    for (const href of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "/api/layout", "//evil.example", "vbscript:x", "&#106;avascript:alert(1)", "file:///etc"]) {
      expect(html(`[x](${href})`), href).not.toContain("<a");
      expect(html(`![x](${href})`), href).not.toMatch(/<(a|img)/);
    }
    expect(html("[x](https://example.com/a?b=c)")).toContain('<a href="https://example.com/a?b=c" title="https://example.com/a?b=c" target="_blank" rel="noopener noreferrer">x</a>');
    expect(html("![look](https://example.com/p.png)")).not.toContain("<img");
    expect(html("https://example.com")).toContain("<a href");
  });

  it("does not break on what is deep, cut or odd", () => {
    expect(html(`${">".repeat(2_000)} deep`).length).toBeGreaterThan(10);
    for (const cut of ["```js\nlet", "| a |\n|--", "[x](http", "**bo", "- ", "&#x110000; &nope;", "\u0000"]) expect(() => html(cut)).not.toThrow();
  });
});

it("there is a word and an advice for every code of the contract", () => {
  const contract = "no_key key_refused no_budget busy offline upstream refused deadline queue_full bad_message bad_session read_only too_often answering disk_full interrupted internal";
  expect(CODES.toSorted()).toEqual(contract.split(" ").toSorted());
  expect(adviceOn("something_new").todo).toBeTruthy();
  expect(new Set(CODES.map((code) => adviceOn(code).title)).size).toBe(CODES.length);
});
