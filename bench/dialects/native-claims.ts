const TOKEN_SECONDS = 3600;

/** The claims of a token that may subscribe one channel. */
export const nativeClaims = (channelName: string): object => ({
  aud: 'signalbox',
  sub: 'bench',
  channels: [channelName],
  exp: Math.floor(Date.now() / 1000) + TOKEN_SECONDS,
});
