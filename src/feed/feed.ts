/** How a broker's events reach this process, as the reader's machine drives it. */
export interface Feed {
  readonly id: string;
  /** Nothing that was missed while it was away can be had later. */
  readonly isLossy: boolean;
  /** Opens a new connection and resolves the position to go on from. */
  connect(signal: AbortSignal): Promise<void>;
  /** Routes what is already there; resolves when it has caught up. */
  catchUp(signal: AbortSignal): Promise<void>;
  /** Routes what comes; only ever rejects: with why the connection ended. */
  follow(signal: AbortSignal): Promise<never>;
  disconnect(): void;
  /** It is deaf, and about to be disconnected: whoever cannot be told later what he missed is told now. */
  giveUp(): void;
}
