/** What is measured: README.md says why these. */

export type Scenario = {
  readonly name: ScenarioName
  readonly title: string
  readonly secure: boolean
  readonly messagesPerConnection: number
  readonly sizeBytes: number | 'asked'
  /** A stalled next hop takes connections and keeps silent until everything is accepted. */
  readonly nextHop: 'open' | 'stalled'
  /** Messages of a run, as a part of `--messages`. */
  readonly share: number
}

export type ScenarioName = 'accept' | 'relay' | 'relay-100k' | 'tls-new' | 'tls-reuse'

// prettier-ignore
export const SCENARIOS: readonly Scenario[] = [
  { name: 'accept',     title: 'accept with the next hop stalled, clear text, 20 per connection', secure: false, messagesPerConnection: 20, sizeBytes: 'asked', nextHop: 'stalled', share: 1 },
  { name: 'relay',      title: 'relay, clear text, 20 per connection',                            secure: false, messagesPerConnection: 20, sizeBytes: 'asked', nextHop: 'open',    share: 1 },
  { name: 'tls-new',    title: 'relay, new mutual-TLS connection per message',                    secure: true,  messagesPerConnection: 1,  sizeBytes: 'asked', nextHop: 'open',    share: 1   },
  { name: 'tls-reuse',  title: 'relay, mutual TLS, 20 per connection',                            secure: true,  messagesPerConnection: 20, sizeBytes: 'asked', nextHop: 'open',    share: 1 },
  { name: 'relay-100k', title: 'relay of 100 KB, clear text, 20 per connection',                  secure: false, messagesPerConnection: 20, sizeBytes: 102_400, nextHop: 'open',    share: 0.25 },
]

/** Measured by itself, with servers of its own: memory of idle connections. */
export const IDLE = 'idle'
