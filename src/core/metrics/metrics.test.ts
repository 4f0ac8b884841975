import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPrometheus, METRICS, sumSamples } from './metrics.ts'

test('counts of the workers are added up, and what belongs to one worker keeps its number', () => {
  const worker = (count: number) => [
    { name: 'postern_connections_total', labels: { listener: 'mx' }, value: count } as const,
    { name: 'postern_connections_total', labels: { listener: 'submission' }, value: 1 } as const,
    { name: 'postern_sessions', labels: {}, value: count } as const,
  ]
  assert.deepEqual(sumSamples([worker(2), worker(40)]), [
    { name: 'postern_connections_total', labels: { listener: 'mx' }, value: 42 },
    { name: 'postern_connections_total', labels: { listener: 'submission' }, value: 2 },
    { name: 'postern_sessions', labels: { worker: '0' }, value: 2 },
    { name: 'postern_sessions', labels: { worker: '1' }, value: 40 },
  ])
})

test('the text is what Prometheus reads', () => {
  const text = formatPrometheus([
    { name: 'postern_refusals_total', labels: { asked: 'sender', rule: 'a"b\\c\nd' }, value: 3 },
    { name: 'postern_refusals_total', labels: { asked: 'recipient', rule: 'relayingDenied' }, value: 4 },
  ])
  assert.match(text, /# HELP postern_refusals_total [^\n]+\.\n# TYPE postern_refusals_total counter\npostern_refusals_total\{asked="recipient",rule="relayingDenied"\} 4\npostern_refusals_total\{asked="sender",rule="a\\"b\\\\c\\nd"\} 3\n/)
  assert.match(text, /\n# TYPE postern_timeouts_total counter\npostern_timeouts_total 0\n/)
  for (const line of text.split('\n')) assert.match(line, /^(# (HELP|TYPE) |[a-z_]+(\{[^}]*\})? [0-9.e+-]+$)/)
})

test('names follow the custom of Prometheus', () => {
  for (const [name, { type }] of Object.entries(METRICS)) assert.equal(name.endsWith('_total'), type === 'counter', name)
})
