/** The fault of Superset's sidecar: what is said to be on a channel, in plain objects with names from outside. */
export class ObjectsAsMaps {
  readonly #channels: Record<string, { sockets: string[] }> = {};

  join(channel: string, socket: string): void {
    if (channel in this.#channels) this.#channels[channel]?.sockets.push(socket);
    else this.#channels[channel] = { sockets: [socket] };
  }

  of(channel: string): readonly string[] | undefined {
    return this.#channels[channel]?.sockets;
  }
}
