/** What a header says where its bytes are UTF-8: headers are read byte by byte. What is no UTF-8 stays as it was read. */
export function headerText(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
