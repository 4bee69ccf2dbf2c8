import type { Signalbox } from './signalbox.ts';

export const ADMIN_TOKEN = 'the-admin-token-of-the-integration-tests';

/** What an installation of these tests is given, so that its panel can be asked. */
export const ADMIN_ENV = {
  SIGNALBOX_ADMIN_ENABLED: 'true',
  SIGNALBOX_ADMIN_PORT: '0',
  SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN,
};

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** Somebody who knows the admin token, at the admin listener of one process. */
export class Operator {
  /** Of the listener, without a path. */
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  static of({ log }: Pick<Signalbox, 'log'>): Operator {
    const line = log
      .map(({ message }) => String(message))
      .find((message) => message.startsWith('Panel: open'));
    if (line === undefined) throw new Error('it has no panel');
    return new Operator(originIn(line));
  }

  /** Of a process, by what it printed. */
  static ofOutput(output: string): Operator {
    return new Operator(originIn(output));
  }

  async get<Body = unknown>(path: string): Promise<Answer<Body>> {
    return this.#ask<Body>(path, {});
  }

  async post<Body = unknown>(path: string, body: object = {}): Promise<Answer<Body>> {
    return this.send<Body>('POST', path, body);
  }

  async send<Body = unknown>(method: string, path: string, body?: object): Promise<Answer<Body>> {
    return this.#ask<Body>(path, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  }

  /** The messages of a stream of Server-Sent Events, as they come, until `end`. */
  async follow<Message>(
    path: string,
    messages: Message[] = [],
  ): Promise<{ readonly messages: Message[]; end(): void }> {
    const controller = new AbortController();
    const response = await fetch(this.url + path, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      signal: controller.signal,
    });
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
    void (async () => {
      let text = '';
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString();
        const blocks = text.split('\n\n');
        text = blocks.pop() as string;
        for (const block of blocks) {
          if (block.startsWith('data: ')) messages.push(JSON.parse(block.slice(6)) as Message);
        }
      }
    })().catch(() => {});
    return { messages, end: () => controller.abort() };
  }

  async #ask<Body>(
    path: string,
    { headers: more, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> },
  ): Promise<Answer<Body>> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...more };
    const response = await fetch(this.url + path, { ...init, headers });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as Body,
    };
  }
}

function originIn(text: string): string {
  const url = /Panel: open (http:\/\/[^/"]+)\/inspect/.exec(text)?.[1];
  if (url === undefined) throw new Error('it has no panel');
  return url;
}
