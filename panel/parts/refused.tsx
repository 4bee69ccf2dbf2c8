import type { VNode } from 'preact';
import type { Refusal } from '../server/request.ts';

/** Why there is nothing newer to see. */
export function Refused({ refusal }: { readonly refusal: Refusal | undefined }): VNode {
  return <div role="status">{refusal !== undefined && <p class="notice grave">✗ {refusal.message}</p>}</div>;
}
