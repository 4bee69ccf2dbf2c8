import type { CloseReason } from '../../machines/close-reason.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Peer } from '../decider/decider.ts';
import type { PublishAnswer } from '../protocol/native/session.ts';
import type { ClientSession, Sessions } from '../protocol/native/sessions.ts';
import { checkChannel, checkTopic, checkWord } from './check.ts';
import type { Contract } from './contract.ts';
import { SignalboxError } from './error.ts';
import { toJson } from './json.ts';
import type { Principal, Socket } from './socket.ts';

type Locals = Record<string, unknown>;
type CloseListener = (reason: CloseReason) => void;

/** The sockets of this process as programs see them: one object for each, from its first mention to its end. */
export class Sockets<C extends Contract> {
  readonly #sessions: Sessions;
  readonly #handles = new Map<string, SocketHandle>();
  /** Of principals whose sockets do not exist yet as well. */
  readonly #locals = new WeakMap<NativePrincipal, Locals>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  of(peer: Peer): Socket<C> {
    const known = this.#handles.get(peer.socket);
    if (known !== undefined) return known as unknown as Socket<C>;
    const find = (): ClientSession | undefined => this.#sessions.of({ socket: peer.socket })[0];
    const handle = new SocketHandle(peer, this.#localsOf(peer.principal), find);
    this.#handles.set(peer.socket, handle);
    return handle as unknown as Socket<C>;
  }

  principalOf({ socket, principal }: Peer): Principal {
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

  /** One that was asked about, and is none. */
  forget(peer: Peer): void {
    this.#handles.delete(peer.socket);
  }

  /** The last that is heard of it. */
  closed(peer: Peer, reason: CloseReason): void {
    const handle = this.#handles.get(peer.socket);
    this.#handles.delete(peer.socket);
    handle?.closed(reason);
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

  closed(reason: CloseReason): void {
    this.#reason = reason;
    for (const listener of this.#listeners.splice(0)) listener(reason);
  }
}
