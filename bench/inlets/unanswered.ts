/** Counts what is still to be answered, and wakes who waits for that. */
export class Unanswered {
  #count = 0;
  #refusal: string | undefined;
  #waiting: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  asked(): void {
    this.#count += 1;
  }

  answered(count: number): void {
    this.#count -= count;
    if (this.#count <= 0) this.#wake();
  }

  refused(refusal: string): void {
    this.#refusal = refusal;
    this.#wake();
  }

  async none(): Promise<void> {
    while (this.#count > 0 && this.#refusal === undefined) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    if (this.#refusal !== undefined) throw new Error(`an event was refused: ${this.#refusal}`);
  }

  #wake(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}
