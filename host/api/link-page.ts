import type { LinkQuestion } from "../run/answer.ts";

/** Headers of pages for people: nothing is loaded, run, framed or kept. */
export const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "x-robots-tag": "noindex",
} as const;

/** The page on which a link is answered: opening it answers nothing. */
export function questionPage({ functionName, name, answers }: LinkQuestion): string {
  const buttons = answers
    .map((answer) => `<button name="answer" value="${escape(answer)}">${escape(answer)}</button>`)
    .join("\n      ");
  return page(
    functionName,
    `<form method="post">
      <p>${escape(name)}</p>
      <p><label>Comment<br><textarea name="comment" rows="3" maxlength="4000"></textarea></label></p>
      ${buttons}
    </form>`,
  );
}

/** A page that says one thing. */
export function messagePage(title: string, message: string): string {
  return page(title, `<p>${escape(message)}</p>`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${escape(title)}</title>
    <style>body{font:16px sans-serif;max-width:30em;margin:3em auto;padding:0 1em}textarea{width:100%}button{font:inherit;padding:.5em 1em;margin-right:.5em}</style>
  </head>
  <body>
    <h1>${escape(title)}</h1>
    ${body}
  </body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}
