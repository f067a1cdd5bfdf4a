import type { RuntimeErrorRow } from "../error-row.ts";

/** What can go wrong with a step of runtime http besides what can with any step. */
export const httpErrors = {
  ERR_HTTP_URL: {
    retry: false,
    summary: "The `runtime` of a step does not say where its input goes, or that may not be called.",
    next: 'Mend what the message names. A host of a private network, such as localhost, needs `"private": true`.',
  },
  ERR_HTTP_HEADER: {
    retry: false,
    summary: "A secret of a step's `headers` has characters that no header can have, such as a line break.",
    next: "Have the operator give the secret without them.",
  },
  ERR_HTTP_UNREACHABLE: {
    retry: true,
    summary:
      "Nobody answers at the step's URL: no such name, no connection, or one that ends before the answer.",
    next: "Check the URL, and that the receiver runs and can be reached from the host.",
  },
  ERR_HTTP_TLS: {
    retry: true,
    summary: "The certificate of the receiver can't be trusted, or it speaks no TLS.",
    next: "Renew the receiver's certificate, or mend the scheme of the URL; NODE_EXTRA_CA_CERTS names further authorities.",
  },
  ERR_HTTP_REDIRECT: {
    retry: false,
    summary:
      "The receiver answered with a redirect, and a step's input goes where its document says and nowhere else.",
    next: "Put the URL that the message names into the document.",
  },
  ERR_HTTP_CALLBACK: {
    retry: false,
    summary: "The receiver answered 202, and could not complete the step later: nobody could call this host.",
    next: "Start the host with --callback-url, or have the receiver answer when it is done.",
  },
  ERR_HTTP_ANSWER: {
    retry: true,
    summary:
      "What the receiver answered can't be read: no HTTP, too long headers, or compressed though nobody asked for that.",
    next: "Look at what the receiver, or a proxy before it, answers.",
  },
} as const satisfies Record<string, RuntimeErrorRow>;
