/** Why a socket ends; each protocol maps it to a close code of its own. */
export type CloseReason =
  | 'handshake_timeout'
  | 'unresponsive'
  | 'too_slow'
  | 'expired'
  | 'drain'
  | 'lossy'
  | 'policy'
  | 'protocol'
  | 'failed'
  | 'ended'
  | 'gone';
