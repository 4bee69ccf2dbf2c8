import type { CloseReason } from '../../machines/close-reason.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Peer } from '../decider/decider.ts';
import type { PublishAnswer } from '../protocol/native/session.ts';
import type { ClientSession, Sessions } from '../protocol/native/sessions.ts';
import { checkChannel, checkTopic, checkWord } from './check.ts';
import type { Contract } from './contract.ts';
import { SignalboxError } from './error.ts';
import { toJson } from './json.ts';
import { callEach, type OnBug } from './listeners.ts';
import type { KnownPrincipal, Socket } from './socket.ts';

type Locals = Record<string, unknown>;
type CloseListener = (reason: CloseReason) => void;

/** The sockets of this process as programs see them: one object for each, from its first mention to its end. */
export class Sockets<C extends Contract> {
  readonly #sessions: Sessions;
  readonly #onBug: OnBug;
  readonly #handles = new Map<string, SocketHandle>();
  /** Of those that are only asked about, by the principals that they came with: most of them may never be there. */
  readonly #early = new WeakMap<NativePrincipal, SocketHandle>();
  /** Of principals whose sockets do not exist yet as well. */
  readonly #locals = new WeakMap<NativePrincipal, Locals>();

  constructor(sessions: Sessions, onBug: OnBug) {
    this.#sessions = sessions;
    this.#onBug = onBug;
  }

  /** How many are kept: of each there is a session, or was until just now. */
  get size(): number {
    return this.#handles.size;
  }

  of(peer: Peer): Socket<C> {
    const { socket, principal } = peer;
    const known = this.#handles.get(socket);
    if (known !== undefined) return known;
    const find = (): ClientSession | undefined => this.#sessions.of({ socket })[0];
    const early = this.#early.get(principal);
    const handle = early?.id === socket ? early : new SocketHandle(peer, this.#localsOf(principal), find);
    if (find() === undefined) this.#early.set(principal, handle);
    else this.#handles.set(socket, handle);
    return handle;
  }

  principalOf({ socket, principal }: Peer): KnownPrincipal {
    const { user, session, channels, publish, expiresAtMs, issuedAtMs } = principal;
    return {
      user,
      ...(session !== undefined && { session }),
      channels,
      publish,
      expiresAt: expiresAtMs,
      issuedAt: issuedAtMs,
      locals: this.#handles.get(socket)?.locals ?? this.#localsOf(principal),
    };
  }

  /** The last that is heard of it. */
  closed(peer: Peer, reason: CloseReason): void {
    const handle = this.#handles.get(peer.socket) ?? this.#early.get(peer.principal);
    this.#handles.delete(peer.socket);
    if (handle?.id === peer.socket) handle.closed(reason, this.#onBug);
  }

  #localsOf(principal: NativePrincipal): Locals {
    const locals = this.#locals.get(principal) ?? principal.locals ?? {};
    this.#locals.set(principal, locals);
    return locals;
  }
}

/** Its methods take what the types of `Socket` let through. */
class SocketHandle implements Omit<Socket<Contract>, 'tell' | 'publish'> {
  readonly id: string;
  readonly user: string;
  readonly session: string | undefined;
  readonly locals: Locals;
  readonly #find: () => ClientSession | undefined;
  readonly #listeners: CloseListener[] = [];
  #reason: CloseReason | undefined;

  constructor({ socket, principal }: Peer, locals: Locals, find: () => ClientSession | undefined) {
    this.id = socket;
    this.user = principal.user;
    this.session = principal.session;
    this.locals = locals;
    this.#find = find;
  }

  get isOpen(): boolean {
    return this.#reason === undefined;
  }

  get channels(): readonly string[] {
    return this.#find()?.channels ?? [];
  }

  isSubscribed(channel: string): boolean {
    return this.#find()?.isSubscribed(channel) ?? false;
  }

  tell(topic: string, data?: unknown): boolean {
    checkTopic(topic);
    const json = data === undefined ? undefined : toJson(data);
    return this.#find()?.tell(topic, json) === 'ok';
  }

  async publish(channel: string, topic: string, data: unknown): Promise<string> {
    checkChannel(channel);
    checkTopic(topic);
    const session = this.#find();
    if (session === undefined) throw new SignalboxError('not_subscribed', 'This socket has gone.');
    const publication = { channel, topic, data: Buffer.from(toJson(data)) };
    const answer = await new Promise<PublishAnswer>((settle) => {
      session.publish(publication, false, settle);
    });
    if ('id' in answer) return answer.id;
    throw new SignalboxError(answer.refused);
  }

  boot(reason?: string): void {
    checkWord(reason);
    this.#find()?.end(reason);
  }

  onClose(listener: CloseListener): void {
    if (this.#reason === undefined) this.#listeners.push(listener);
    else listener(this.#reason);
  }

  closed(reason: CloseReason, onBug: OnBug): void {
    this.#reason = reason;
    callEach(this.#listeners.splice(0), reason, onBug, 'onClose');
  }
}
