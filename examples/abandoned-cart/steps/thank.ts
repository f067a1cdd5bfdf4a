interface Input {
  readonly async: { readonly data: { readonly order: string } };
  readonly steps: { readonly note: { readonly best: string } };
}

/** `async` is the event that was waited for. */
export default ({ async, steps }: Input) =>
  `Thank you for order ${async.data.order} with ${steps.note.best}.`;
