/** What the server and the page say to each other. For the types alone: nothing of it runs. */
export interface Chat {
  channels: {
    [room: `room:${string}`]: {
      line: Line;
      /** Who is here now, all of them: whoever misses one has everything with the next. */
      here: string[];
    };
  };
  asks: {
    rooms: { answer: string[] };
    who: { data: { room: string }; answer: string[] };
    /** The lines before number `before`, the last of them last. */
    history: { data: { room: string; before: number }; answer: Line[] };
    /** Asked again with the same key it is the same line, and is said once. */
    say: { data: { room: string; text: string; key: string }; answer: Line };
  };
  tells: { typing: { room: string } };
  told: { typing: { room: string; name: string }; gone: { name: string } };
}

export interface Line {
  /** 1 for the first line of its room, and one more for each. */
  readonly n: number;
  readonly from: string;
  readonly text: string;
  /** Ms since 1970. */
  readonly at: number;
  readonly key: string;
}

/** What a room begins with. */
export interface RoomSnapshot {
  readonly lines: readonly Line[];
  readonly here: readonly string[];
}
