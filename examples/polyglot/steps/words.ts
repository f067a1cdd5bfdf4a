interface Input {
  event: { data: { text: string } };
}

export default ({ event }: Input) => ({ words: event.data.text.toLowerCase().match(/\p{L}+/gu) ?? [] });
