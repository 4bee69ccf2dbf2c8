import type { Figures } from './figures.ts';
import type { ProcessFigures, ScrapeText } from './prometheus.ts';
import { Recorder } from './recorder.ts';
import { startStatsd, type StatsdOptions } from './statsd.ts';

/** What one process gives when Prometheus asks. */
export interface Share {
  readonly figures: Figures;
  /** Undefined: it has nothing to say of itself, or has ended. */
  readonly process?: ProcessFigures;
}

/** Those with which a process serves together. */
export interface MeasuringCompany {
  /** From 1. */
  readonly worker: number;
  /** Who asks for this process's figures, and its share of a scrape. */
  measureBy(own: { figures(): Figures; share(): Promise<Share> }): void;
  /** The shares of all of them. Rejects when nobody can say. */
  gather(): Promise<readonly Share[]>;
}

export interface TelemetryOptions extends Pick<StatsdOptions, 'host' | 'port' | 'globalTags' | 'onError'> {
  /** Left out: it is alone. */
  readonly company?: MeasuringCompany | undefined;
}

/** What is measured, and where it goes: to StatsD by itself, to Prometheus when it asks. */
export interface Telemetry {
  readonly metrics: Recorder;
  /** The text for Prometheus, of all processes that serve together. Rejects when that cannot be had now. */
  scrape(): Promise<ScrapeText>;
  close(): Promise<void>;
}

/** Starts to send to StatsD. */
export function createTelemetry({ company, ...statsd }: TelemetryOptions): Telemetry {
  const metrics = new Recorder();
  const sink = startStatsd(metrics, { ...statsd, hasGauges: company === undefined });
  const share = async (): Promise<Share> => {
    const { processFigures } = await import('./prometheus.ts');
    return { process: await processFigures(company?.worker ?? 1), figures: metrics.figures };
  };
  company?.measureBy({ figures: () => metrics.figures, share });
  return {
    metrics,
    async scrape() {
      // Loaded only when it is wanted.
      const { scrapeText } = await import('./prometheus.ts');
      const shares = company === undefined ? [await share()] : await company.gather();
      return scrapeText(
        shares.map(({ figures }) => figures),
        shares.flatMap(({ process }) => (process === undefined ? [] : [process])),
      );
    },
    close: () => sink.close(),
  };
}
