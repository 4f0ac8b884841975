import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envelopeTo, message } from '../../../test/support/queued.ts'
import type { Envelope, NotifyOn } from './envelope.ts'
import { firstDueAt, isToldOf, isToldOfRelaying, scheduleFor, secondsLeft, startsAt } from './notification.ts'
import { USUAL_RETRY } from '../../../test/support/queued.ts'

const MINUTE = 60_000

const asking = (changes: Partial<Envelope>): ReturnType<typeof message> => message('m1', { acceptedAt: MINUTE, envelope: envelopeTo(['bob@b'], changes) })

// prettier-ignore
const WISHES: readonly (readonly [notify: readonly NotifyOn[] | null, told: readonly NotifyOn[]])[] = [
  [null,                  ['FAILURE', 'DELAY']],
  [[],                    []],
  [['SUCCESS'],           ['SUCCESS']],
  [['DELAY'],             ['DELAY']],
  [['FAILURE', 'DELAY'],  ['FAILURE', 'DELAY']],
]

for (const [notify, told] of WISHES) {
  test(`NOTIFY=${notify?.join(',') ?? '(not given)'} (RFC 3461 §4.1)`, () => {
    const heard = (changes: Partial<Envelope>): readonly NotifyOn[] =>
      (['SUCCESS', 'FAILURE', 'DELAY'] as const).filter(condition => isToldOf(condition, asking(changes), { notify }))
    assert.deepEqual(heard({}), told)
    assert.deepEqual(heard({ reversePath: '' }), [], 'S21: at the null reverse-path nobody listens')
  })
}

test('who waits for success is told where no word of it will come from (RFC 3461 §5.2.2)', () => {
  const told = (notify: readonly NotifyOn[] | null, knows: { dsn: boolean; deliverBy: boolean }, changes: Partial<Envelope> = {}): boolean => {
    const outcome = { kind: 'delivered', by: 'mx', reply: { code: 250, enhanced: null, lines: [] }, knows } as const
    return isToldOfRelaying(asking(changes), { forwardPath: 'bob@b', notify, originalRecipient: null }, outcome)
  }
  const nothing = { dsn: false, deliverBy: false }
  const both = { dsn: true, deliverBy: true }
  assert.equal(told(['SUCCESS'], nothing), true)
  assert.equal(told(['SUCCESS'], both), false)
  assert.equal(told(['FAILURE'], nothing), false)
  assert.equal(told(null, nothing), false)
  assert.equal(told(['SUCCESS'], nothing, { reversePath: '' }), false)
  const deliverBy = { seconds: 9, mode: 'notify', trace: false } as const
  assert.equal(told(null, { ...both, deliverBy: false }, { deliverBy }), true)
  assert.equal(told(null, both, { deliverBy }), false)
  assert.equal(told(null, both, { deliverBy: { ...deliverBy, trace: true } }), true)
  assert.equal(told([], nothing, { deliverBy }), false)
  assert.equal(told(null, nothing, { deliverBy, reversePath: '' }), false)
})

test('S21: a stranger has nobody told of success, nor of a time', () => {
  const stranger = { ...asking({ deliverBy: { seconds: 9, mode: 'notify', trace: true } }), origin: { ...asking({}).origin, isKnown: false } }
  const told = (['SUCCESS', 'FAILURE', 'DELAY'] as const).filter(condition => isToldOf(condition, stranger, { notify: ['SUCCESS', 'FAILURE', 'DELAY'] }))
  assert.deepEqual(told, ['FAILURE', 'DELAY'])
  const outcome = { kind: 'delivered', by: 'mx', reply: { code: 250, enhanced: null, lines: [] }, knows: { dsn: false, deliverBy: false } } as const
  assert.equal(isToldOfRelaying(stranger, { forwardPath: 'bob@b', notify: ['SUCCESS'], originalRecipient: null }, outcome), false)
})

test('a message for later begins later, and one that goes first a little earlier (RFC 4865, RFC 6710)', () => {
  assert.equal(startsAt(asking({})), MINUTE)
  assert.equal(startsAt(asking({ hold: { kind: 'for', seconds: 60 } })), 2 * MINUTE)
  assert.equal(startsAt(asking({ hold: { kind: 'until', at: 5 * MINUTE } })), 5 * MINUTE)
  assert.equal(startsAt(asking({ hold: { kind: 'until', at: 0 } })), MINUTE)
  assert.equal(firstDueAt(asking({ priority: 3 })), -2 * MINUTE)
  assert.equal(firstDueAt(asking({ priority: -3 })), MINUTE)
  assert.equal(firstDueAt(asking({ priority: 3, hold: { kind: 'until', at: 5 * MINUTE } })), 5 * MINUTE, 'not before its time')
  assert.equal(firstDueAt(asking({ priority: 3, hold: { kind: 'until', at: 0 } })), -2 * MINUTE)
})

test('a time that the sender set is the end of trying, or when it hears of a delay (RFC 2852 §4)', () => {
  const { lifetimeSeconds, warnAfterSeconds } = USUAL_RETRY
  const schedule = (changes: Partial<Envelope>): readonly (number | null)[] => {
    const found = scheduleFor(asking(changes), USUAL_RETRY)
    return [found.lifetimeSeconds, found.warnAfterSeconds]
  }
  assert.deepEqual(schedule({}), [lifetimeSeconds, warnAfterSeconds])
  assert.deepEqual(schedule({ deliverBy: { seconds: 90, mode: 'return', trace: false } }), [90, warnAfterSeconds])
  assert.deepEqual(schedule({ deliverBy: { seconds: 900_000_000, mode: 'return', trace: false } }), [lifetimeSeconds, warnAfterSeconds])
  assert.deepEqual(schedule({ deliverBy: { seconds: -90, mode: 'notify', trace: false } }), [lifetimeSeconds, 0])
  assert.equal(secondsLeft(asking({ deliverBy: { seconds: 90, mode: 'return', trace: false } }), 2 * MINUTE), 30)
  assert.equal(secondsLeft(asking({}), 2 * MINUTE), null)
  const held = asking({ deliverBy: { seconds: 90, mode: 'return', trace: false }, hold: { kind: 'for', seconds: 600 } })
  assert.deepEqual([MINUTE, 11 * MINUTE, 12 * MINUTE].map(now => secondsLeft(held, now)), [90, 90, 30], 'the time of BY begins when the message may go')
})
