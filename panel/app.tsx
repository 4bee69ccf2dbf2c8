import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ChannelPage } from './pages/channel.tsx';
import { ChannelsPage } from './pages/channels.tsx';
import { InspectorPage } from './pages/inspector.tsx';
import { LogPage } from './pages/log.tsx';
import { LoginPage } from './pages/login.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { ReaderPage } from './pages/reader.tsx';
import { SocketPage } from './pages/socket.tsx';
import { SocketsPage } from './pages/sockets.tsx';
import { UnknownPage } from './pages/unknown.tsx';
import { WhyPage } from './pages/why.tsx';
import { Help } from './parts/help.tsx';
import { LineNotice } from './parts/line-notice.tsx';
import { Masthead } from './parts/masthead.tsx';
import { usePlace } from './place/place.ts';
import { type Route, routeOf } from './place/route.ts';
import { useWatch, Watching } from './server/overview.ts';
import { useSession } from './server/session.ts';

function pageOf(route: Route): VNode {
  switch (route.page) {
    case 'overview':
      return <OverviewPage />;
    case 'sockets':
      return <SocketsPage />;
    case 'channels':
      return <ChannelsPage />;
    case 'socket':
      return <SocketPage key={route.id} id={route.id} />;
    case 'channel':
      return <ChannelPage key={`${route.feed}/${route.name}`} feed={route.feed} name={route.name} />;
    case 'reader':
      return <ReaderPage key={route.id} id={route.id} />;
    case 'log':
      return <LogPage />;
    case 'why':
      return <WhyPage />;
    case 'inspector':
      return <InspectorPage />;
    case 'unknown':
      return <UnknownPage />;
  }
}

function Watch({ children }: { readonly children: ComponentChildren }): VNode {
  return <Watching.Provider value={useWatch()}>{children}</Watching.Provider>;
}

/** Brings whoever reads or types to the new page, as loading one does. */
function useArrival(pathname: string): void {
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    scrollTo(0, 0);
    document.querySelector('main')?.focus({ preventScroll: true });
  }, [pathname]);
}

export function App(): VNode {
  const { pathname } = usePlace();
  const route = routeOf(pathname);
  useArrival(pathname);
  if (useSession() === 'refused') return <LoginPage />;
  return (
    <Watch>
      <a class="skip" href="#main">
        To the content
      </a>
      <Masthead route={route} />
      <LineNotice />
      <main id="main" tabIndex={-1}>
        {pageOf(route)}
      </main>
      <Help />
    </Watch>
  );
}
