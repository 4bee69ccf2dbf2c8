import { type HeldHeaders, heldHeaders } from './answer-headers.ts';
import {
  type HoldReading,
  FALLBACK_HEADER,
  type HoldRequest,
  type KeepAlive,
  LAST_ID_HEADER,
  readChannelHeader,
} from './channel-header.ts';
import { type Collect, isCollected } from './collect.ts';
import { isGripHeader, readGrip } from './grip.ts';
import { type RawHeaders, valuesOf } from './raw-headers.ts';

/** What is wrong with the name of a channel, in words; undefined: nothing. */
export type ChannelCheck = (name: string) => string | undefined;

/** What this server is told to do with a client: one instruction, whichever headers gave it. */
export interface Hold {
  readonly channels: readonly string[];
  /** The application's Content-Type, where it said one. */
  readonly contentType?: string;
  /** After which event the stream begins. */
  readonly lastEventId?: string;
  readonly keepAlive?: KeepAlive;
  readonly mayFallBack?: true;
  /** What goes on of the application's headers; Content-Type and Cache-Control are not among them. */
  readonly headers: HeldHeaders;
}

/** The head of an application's answer. */
export interface AnswerHead {
  readonly status: number;
  readonly message: string;
  readonly headers: RawHeaders;
}

/** What an answer says: a hold, something wrong with one in words, or nothing about one. */
export type Instruction = { readonly hold: Hold } | { readonly fault: string } | undefined;

export interface HoldReaderOptions {
  /** In lower case. */
  readonly channelHeader: string;
  readonly collect?: Collect | undefined;
  readonly grip: boolean;
  readonly channelCheck: ChannelCheck;
  /** Whether a stream can begin after an event of this id; left out: it does not matter what it is. */
  readonly isPosition?: ((lastEventId: string) => boolean) | undefined;
  /** The headers of an answer that go no further. */
  readonly isInstruction: (lowerCaseName: string) => boolean;
}

const MAX_CHANNELS = 128;
const PRINTABLE = /^[\x21-\x7e]{1,200}$/;

/** Makes what reads an instruction from the head of an answer. Only a 200 is held. */
export function createHoldReader({
  channelHeader,
  collect = {},
  grip,
  channelCheck,
  isPosition = () => true,
  isInstruction,
}: HoldReaderOptions): (head: AnswerHead) => Instruction {
  const read = (headers: RawHeaders): HoldReading =>
    readChannelHeader(headers, channelHeader) ?? (grip ? readGrip(headers) : undefined);
  const faultOf = ({ channels, lastEventId }: HoldRequest): string | undefined => {
    if (channels.length > MAX_CHANNELS) return `more than ${MAX_CHANNELS} channels`;
    if (lastEventId !== undefined && !(PRINTABLE.test(lastEventId) && isPosition(lastEventId)))
      return 'the id of the last event cannot be one';
    for (const name of channels) {
      const fault = channelCheck(name);
      if (fault !== undefined)
        return `the channel ${JSON.stringify(name.slice(0, 200))} may not be named: ${fault}`;
    }
    return undefined;
  };
  return ({ status, headers }) => {
    if (status !== 200 || !isCollected(headers, collect)) return undefined;
    const reading = read(headers);
    if (reading === undefined || 'fault' in reading) return reading;
    const fault = faultOf(reading.hold);
    if (fault !== undefined) return { fault };
    const contentType = valuesOf(headers, 'content-type').at(-1);
    return {
      hold: {
        ...reading.hold,
        ...(contentType !== undefined && { contentType }),
        headers: heldHeaders(headers, isInstruction),
      },
    };
  };
}

/** Makes what says which headers are between an application and this server: they never leave it. */
export function createInstructionNames(options: {
  readonly channelHeader: string;
  readonly pull?: readonly string[] | undefined;
  readonly grip: boolean;
}): { readonly names: ReadonlySet<string>; isInstruction(lowerCaseName: string): boolean } {
  const own = [options.channelHeader, LAST_ID_HEADER, FALLBACK_HEADER];
  const pulled = new Set([...own, ...(options.pull ?? []).map((name) => name.toLowerCase())]);
  return {
    names: new Set(own),
    isInstruction: (name) => pulled.has(name) || (options.grip && isGripHeader(name)),
  };
}
