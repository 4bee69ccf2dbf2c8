import type { TargetedSubmitEvent, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Signal } from '../parts/signal.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { fieldOf } from '../place/form.ts';
import { ask, Refusal } from '../server/request.ts';
import { session } from '../server/session.ts';

/** Asks for the token; the server keeps it in a cookie that no script can read. */
export function LoginPage(): VNode {
  const [message, setMessage] = useState('');
  const [isAsking, setAsking] = useState(false);

  async function logIn(token: string): Promise<void> {
    setAsking(true);
    try {
      await ask('/inspect/login', { method: 'POST', body: { token } });
      session.set('open');
    } catch (error) {
      const isWrong = error instanceof Refusal && error.status === 401;
      setMessage(isWrong ? 'That is not the token.' : (error as Error).message);
    } finally {
      setAsking(false);
    }
  }

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    void logIn(fieldOf(event.currentTarget, 'token'));
  }

  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <Signal aspect="danger" isUpright />
        <div>
          <PageTitle title="Signalbox" window="Log in" />
          <p>This panel shows every connection, and can end it. It opens with its token.</p>
          <label for="token">Token</label>
          <input
            id="token"
            name="token"
            type="password"
            autocomplete="current-password"
            required
            autofocus
            aria-describedby="wrong hint"
          />
          <p id="wrong" role="alert" class="bad">
            {message !== '' && `✗ ${message}`}
          </p>
          <button type="submit" class="go" disabled={isAsking}>
            Log in
          </button>
          <p class="fine" id="hint">
            It is the setting <code>admin.token</code>. In development it is printed at the start, as part of
            the panel's address.
          </p>
        </div>
      </form>
    </main>
  );
}
