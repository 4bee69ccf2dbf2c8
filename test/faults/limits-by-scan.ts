/** The fault of Superset's sidecar: it looks at all sockets to know how many of them are open. */
export class LimitsByScan {
  readonly #sockets = new Map<string, { readonly isOpen: boolean; readonly channel: string }>();

  open(channel: string): void {
    this.#sockets.set(`${this.#sockets.size}`, { isOpen: true, channel });
  }

  get size(): number {
    return [...this.#sockets.values()].filter(({ isOpen }) => isOpen).length;
  }

  countOn(channel: string): number {
    return [...this.#sockets.values()].filter((socket) => socket.isOpen && socket.channel === channel).length;
  }
}
