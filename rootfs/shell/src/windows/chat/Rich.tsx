// Markdown as React elements, made from the tokens of its reader. No HTML is ever parsed: what looks like HTML is text. Nothing is
// fetched for a picture, for its address could carry away what was said; it is a link.
import { Check, Copy } from "lucide-react";
import { marked, type Token, type Tokens } from "marked";
import { Fragment, useMemo, useState, type ReactNode } from "react";
import { IconButton } from "@matrixos/look/Button.tsx";
import { entitiesRead, safeAddress } from "./addresses.ts";
import styles from "./markdown.module.css";

export default function Rich({ text }: { text: string }) {
  const tokens = useMemo(() => read(text), [text]);
  return <div className={styles.rich}>{all(tokens)}</div>;
}

/** What is nested deeper than the reader can follow stands as it is. */
function read(text: string): Token[] {
  try {
    return marked.lexer(text, { gfm: true, breaks: true });
  } catch {
    return [{ type: "text", raw: text, text }];
  }
}

/** Quotations of quotations go on for ever; people stop reading earlier. */
const DEEPEST = 24;

function all(tokens: Token[] | undefined, depth = 0): ReactNode {
  if (depth > DEEPEST) return tokens?.map((token) => token.raw).join("");
  return tokens?.map((token, index) => <Fragment key={index}>{one(token as Tokens.Generic, depth + 1)}</Fragment>);
}

/** The tokens are those of marked 18; each kind has the fields that its `Tokens` say. */
function one(token: Tokens.Generic, depth: number): ReactNode {
  const inner = () => all(token.tokens, depth);
  switch (token.type) {
    case "space":
    case "def":
    case "checkbox":
      return null;
    case "hr":
      return <hr />;
    case "br":
      return <br />;
    case "heading":
      return <Heading depth={token.depth as number}>{inner()}</Heading>;
    case "paragraph":
      return <p>{inner()}</p>;
    case "blockquote":
      return <blockquote>{inner()}</blockquote>;
    case "strong":
      return <strong>{inner()}</strong>;
    case "em":
      return <em>{inner()}</em>;
    case "del":
      return <del>{inner()}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "code":
      return <Code text={String(token.text)} />;
    case "list":
      return <List list={token as Tokens.List} depth={depth} />;
    case "table":
      return <Table table={token as Tokens.Table} depth={depth} />;
    case "link":
      return <Address href={String(token.href)}>{inner()}</Address>;
    case "image":
      return <Address href={String(token.href)}>{String(token.text || "a picture")}</Address>;
    case "text":
      return token.tokens ? inner() : entitiesRead(String(token.text));
    case "escape":
      return String(token.text);
    default:
      return token.raw;
  }
}

/** A page has headings of its own above these. */
function Heading({ depth, children }: { depth: number; children: ReactNode }) {
  return depth <= 2 ? <h4>{children}</h4> : <h5>{children}</h5>;
}

function Address({ href, children }: { href: string; children: ReactNode }) {
  const address = safeAddress(href);
  if (!address) return children;
  return (
    <a href={address} title={address} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

function List({ list, depth }: { list: Tokens.List; depth: number }) {
  const items = list.items.map((item, index) => (
    <li key={index} data-task={item.task || undefined}>
      {item.task && <input type="checkbox" checked={item.checked === true} readOnly disabled aria-label={item.checked ? "done" : "to do"} />}
      {all(item.tokens, depth)}
    </li>
  ));
  return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ table, depth }: { table: Tokens.Table; depth: number }) {
  return (
    <div className={styles.table} tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {table.header.map((cell, index) => (
              <th key={index} scope="col" data-align={cell.align}>
                {all(cell.tokens, depth)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} data-align={cell.align}>
                  {all(cell.tokens, depth)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Code({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    // A browser that refuses the clipboard leaves the text to be selected.
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  return (
    <div className={styles.code} onMouseLeave={() => setCopied(false)}>
      <pre tabIndex={0} aria-label="Code">
        <code>{text}</code>
      </pre>
      <IconButton label={copied ? "Copied" : "Copy this"} className={styles.copy} onClick={copy}>
        {copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
      </IconButton>
    </div>
  );
}
