import type { ComponentChildren, VNode } from 'preact';
import { useEffect } from 'preact/hooks';

interface PageTitleProps {
  readonly title: string;
  /** Of the window, where the heading alone would not tell enough. */
  readonly window?: string;
  readonly children?: ComponentChildren;
}

export function PageTitle({ title, window = title, children }: PageTitleProps): VNode {
  useEffect(() => {
    document.title = `${window} · Signalbox`;
  }, [window]);
  return (
    <div class="page-title">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
