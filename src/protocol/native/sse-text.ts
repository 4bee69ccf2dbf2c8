/** The text of one block of a stream of Server-Sent Events. */
export interface SseBlock {
  /** Not a line of its own; with a NUL a browser would ignore it. */
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  /** Milliseconds. */
  readonly retry?: number;
}

const LINE_END = /\r\n|\r|\n/;

/** Writes a block. Whatever its parts hold, none of them can become another field. */
export function sseBlock({ id, event, data, retry }: SseBlock): string {
  let text = '';
  if (id !== undefined) text += `id: ${oneLine(id)}\n`;
  if (event !== undefined) text += `event: ${oneLine(event)}\n`;
  if (retry !== undefined) text += `retry: ${Math.floor(retry)}\n`;
  if (data !== undefined) for (const line of data.split(LINE_END)) text += `data: ${line}\n`;
  return `${text}\n`;
}

const oneLine = (text: string): string => text.split(LINE_END).join(' ').replaceAll('\0', '');
