/**
 * What an application and its clients say to each other, for the types alone:
 *
 * ```ts
 * interface Chat {
 *   channels: { lobby: { joined: string }; [room: `room:${string}`]: { message: { text: string } } };
 *   asks: { serverTime: { data: void; answer: number } };
 *   tells: { typing: { room: string } };
 *   told: { notice: string };
 * }
 * const signalbox = createSignalbox<Chat>();
 * ```
 */
export interface Contract {
  /** By channel and topic, the data of its events. */
  // oxlint-disable-next-line typescript/no-explicit-any -- an interface has no index signature, and fits this one only
  readonly channels?: any;
  /** By topic, what a client asks and is answered. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly asks?: any;
  /** By topic, what a client tells. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly tells?: any;
  /** By topic, what clients are told. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly told?: any;
}

/** Anything goes. */
export interface AnyContract {
  readonly channels: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly asks: Readonly<Record<string, { readonly data: unknown; readonly answer: unknown }>>;
  readonly tells: Readonly<Record<string, unknown>>;
  readonly told: Readonly<Record<string, unknown>>;
}

type Part<C extends Contract, P extends keyof Contract> = C extends Record<P, infer T> ? T : AnyContract[P];

export type ChannelOf<C extends Contract> = keyof Part<C, 'channels'> & string;
/** In brackets, so that of several channels only what all of them have is a topic. */
export type TopicOf<C extends Contract, Channel> = [Channel] extends [keyof Part<C, 'channels'>]
  ? keyof Part<C, 'channels'>[Channel] & string
  : never;
export type DataOf<C extends Contract, Channel, Topic> = [Channel] extends [keyof Part<C, 'channels'>]
  ? Topic extends keyof Part<C, 'channels'>[Channel]
    ? Part<C, 'channels'>[Channel][Topic]
    : never
  : never;

export type AskTopic<C extends Contract> = keyof Part<C, 'asks'> & string;
export type AskData<C extends Contract, Topic> = Topic extends keyof Part<C, 'asks'>
  ? Part<C, 'asks'>[Topic] extends { data: infer D }
    ? D
    : undefined
  : never;
export type AskAnswer<C extends Contract, Topic> = Topic extends keyof Part<C, 'asks'>
  ? Part<C, 'asks'>[Topic] extends { answer: infer A }
    ? A
    : never
  : never;

export type TellTopic<C extends Contract> = keyof Part<C, 'tells'> & string;
export type TellData<C extends Contract, Topic> = Topic extends keyof Part<C, 'tells'>
  ? Part<C, 'tells'>[Topic]
  : never;

export type ToldTopic<C extends Contract> = keyof Part<C, 'told'> & string;
export type ToldData<C extends Contract, Topic> = Topic extends keyof Part<C, 'told'>
  ? Part<C, 'told'>[Topic]
  : never;
