// What is used of it. Its own types would bring the browser's globals into every file of the project.
declare module 'jsdom' {
  interface DrawnElement {
    setAttribute(name: string, value: string): void;
    append(...children: DrawnElement[]): void;
    textContent: string | null;
  }
  interface DrawingWindow {
    readonly document: { createElementNS(namespace: string, name: string): DrawnElement };
    readonly XMLSerializer: new () => { serializeToString(element: DrawnElement): string };
  }
  export class JSDOM {
    readonly window: DrawingWindow;
  }
}
