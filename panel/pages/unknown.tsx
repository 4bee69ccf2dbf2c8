import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.tsx';
import { BASE } from '../place/route.ts';

export function UnknownPage(): VNode {
  return (
    <>
      <PageTitle title="No such page" />
      <p>
        The line ends here. <a href={BASE}>Back to the overview</a>
      </p>
    </>
  );
}
