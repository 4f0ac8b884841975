import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IssuedCertificates } from '../core/pki/records.ts'
import type { IndexRecord } from '../core/pki/records.ts'
import { fail, ok } from '../core/result.ts'
import type { AuthorityAnswer, AuthorityRequest } from './admin.ts'
import { Authority } from './authority.ts'
import type { AuditEntry, AuthorityPort } from './authority.ts'

const NOW = Date.UTC(2026, 10, 23)
const DAY = 86_400_000

/** An authority on a port that only remembers. */
class Desk {
  readonly records: IndexRecord[] = []
  readonly audited: AuditEntry[] = []
  /** What happened, in order. */
  readonly steps: string[] = []
  readonly serials: number[] = []
  failing: 'audit' | 'append' | 'make' | null = null
  readonly authority: Authority
  #made = 0

  constructor() {
    const port: AuthorityPort = {
      now: () => NOW,
      newSerial: () => Uint8Array.of(0x40, this.serials.shift() ?? this.#made),
      make: async plan => {
        if (this.failing === 'make') throw new Error('no entropy')
        this.steps.push('make')
        this.#made += 1
        const serial = Buffer.from(plan.serial).toString('hex')
        const fingerprint = String(this.#made).padStart(64, '0')
        return { chainPem: `chain ${this.#made}`, keyPem: 'key', certificateBase64: 'AAAA', serial, fingerprint, subject: `/CN=${plan.subject.commonName}` }
      },
      pack: (_made, kind, name) => ({ p12Base64: `${kind} ${name}`, password: 'secret' }),
      append: async record => {
        if (this.failing === 'append') return fail('disk full')
        this.steps.push('append')
        this.records.push(record)
        return ok(null)
      },
      audit: async entry => {
        if (this.failing === 'audit') return fail('disk full')
        this.steps.push('audit')
        this.audited.push(entry)
        return ok(null)
      },
      close: async () => {
        this.steps.push('close')
      },
    }
    const facts = {
      rootPem: 'root',
      issuingPem: 'issuing',
      rootSubject: '/CN=Root',
      issuingSubject: '/CN=Issuing',
      rootNotAfter: NOW + 9000 * DAY,
      issuingNotAfter: NOW + 3000 * DAY,
      keyType: 'p256',
    } as const
    const issuer = { organisation: 'example.org', commonNames: ['Issuing', 'Root'], notAfter: NOW + 3000 * DAY }
    this.authority = new Authority({ facts, issuer }, new IssuedCertificates(), port)
  }

  async ask(request: AuthorityRequest): Promise<AuthorityAnswer> {
    const result = await this.authority.handle(request, 'root on console')
    assert.ok(result.ok, result.ok ? '' : result.problem)
    return result.answer
  }

  async problemOf(request: AuthorityRequest): Promise<string> {
    const result = await this.authority.handle(request)
    return result.ok ? '' : result.problem
  }
}

type ClientRequest = Extract<AuthorityRequest, { do: 'issueClient' }>

function person(change: Partial<ClientRequest> = {}): ClientRequest {
  return {
    do: 'issueClient',
    name: 'joe',
    kind: 'person',
    addresses: ['joe@example.org'],
    dnsNames: [],
    senders: [],
    keyType: 'p256',
    days: 365,
    format: 'pem',
    ...change,
  }
}

const server = { do: 'issueServer', names: ['mail.example.org', '127.0.0.1'], keyType: 'p256', days: 825 } as const

test('audits before it makes, and registers before it answers', async () => {
  const desk = new Desk()
  const answer = await desk.ask(person())
  assert.deepEqual(desk.steps, ['audit', 'make', 'append'])
  assert.deepEqual(answer, { kind: 'issuedClient', issued: { format: 'pem', certificatePem: 'chain 1', keyPem: 'key', fingerprint: '1'.padStart(64, '0'), notAfter: NOW + 365 * DAY } })
  assert.deepEqual(desk.audited, [{ at: NOW, by: 'root on console', act: 'issueClient', name: 'joe', detail: 'person joe@example.org' }])
})

test('a person may send as its addresses and as what it was given besides', async () => {
  const desk = new Desk()
  await desk.ask(person({ senders: ['@news.example.org', 'joe@example.org'] }))
  const [record] = desk.records
  assert.equal(record?.record, 'issued')
  assert.deepEqual(record?.record === 'issued' ? [record.addresses, record.senders] : null, [['joe@example.org'], ['joe@example.org', '@news.example.org']])
})

test('PKCS#12 files come in both kinds, each with its password', async () => {
  const desk = new Desk()
  for (const [format, kind] of [['p12', 'compatible'], ['p12-modern', 'modern']] as const) {
    const answer = await desk.ask(person({ format }))
    const { issued } = answer.kind === 'issuedClient' ? answer : assert.fail()
    assert.deepEqual(issued.format === 'p12' ? [issued.p12Base64, issued.password] : null, [`${kind} joe`, 'secret'])
  }
})

test('the index has every live certificate and every revoked one, but no servers', async () => {
  const desk = new Desk()
  await desk.ask(person())
  await desk.ask(person({ name: 'web7', kind: 'machine', addresses: [] }))
  await desk.ask(server)
  await desk.ask({ do: 'revoke', name: 'joe' })
  assert.deepEqual(await desk.ask({ do: 'index' }), {
    kind: 'index',
    index: {
      live: [{ fingerprint: '2'.padStart(64, '0'), name: 'web7', kind: 'machine', senders: [] }],
      revoked: [{ fingerprint: '1'.padStart(64, '0'), name: 'joe', revokedAt: NOW }],
    },
  })
})

test('a person without an address is refused; a machine may send as anybody', async () => {
  const desk = new Desk()
  assert.match(await desk.problemOf(person({ addresses: [] })), /no address.*--email joe@example\.org/)
  await desk.ask(person({ name: 'web7', kind: 'machine', addresses: [] }))
})

test('the same name with the same rights gets a second certificate, in any order and also unsaid', async () => {
  const desk = new Desk()
  await desk.ask(person({ senders: ['@a.example', '@b.example'] }))
  await desk.ask(person({ senders: ['@b.example', '@a.example'] }))
  await desk.ask(person({ addresses: [] }))
  const answer = await desk.ask({ do: 'list' })
  const [holder, ...others] = answer.kind === 'listed' ? answer.holders : []
  assert.equal(others.length, 0)
  assert.equal(holder?.certificates.length, 3)
  assert.deepEqual(holder?.senders, ['joe@example.org', '@b.example', '@a.example'])
})

test('a live name is not given to another person, and its rights do not grow', async () => {
  const desk = new Desk()
  await desk.ask(person())
  for (const change of [{ addresses: ['mallory@example.org'] }, { senders: ['@example.org'] }, { kind: 'machine' } as const]) {
    assert.match(await desk.problemOf(person(change)), /already a person that may send as joe@example\.org.*postern user revoke joe/)
  }
  assert.match(await desk.problemOf(person({ name: 'Joe' })), /differ in case only/)
  assert.equal(desk.records.length, 1)
})

test('a name without live certificates is free, and keeps its rights if none are said', async () => {
  const desk = new Desk()
  await desk.ask(person())
  await desk.ask({ do: 'revoke', name: 'joe' })
  await desk.ask(person({ addresses: [] }))
  await desk.ask({ do: 'revoke', name: 'joe' })
  await desk.ask(person({ addresses: ['other@example.org'] }))
  const answer = await desk.ask({ do: 'list' })
  assert.deepEqual(answer.kind === 'listed' ? answer.holders.map(({ senders }) => senders) : null, [['other@example.org']])
})

test('revoking takes all live certificates of a name, in one record', async () => {
  const desk = new Desk()
  await desk.ask(person())
  await desk.ask(person())
  const before = desk.records.length
  const answer = await desk.ask({ do: 'revoke', name: 'JOE' })
  assert.deepEqual(answer.kind === 'revoked' ? answer.fingerprints.length : 0, 2)
  assert.equal(desk.records.length, before + 1)
  assert.deepEqual(await desk.ask({ do: 'revoke', name: 'joe' }), { kind: 'revoked', fingerprints: [] })
  assert.equal(desk.records.length, before + 1)
})

test('removing revokes and takes off the list', async () => {
  const desk = new Desk()
  await desk.ask(person())
  await desk.ask(person({ name: 'ann', addresses: ['ann@example.org'] }))
  await desk.ask({ do: 'remove', name: 'joe' })
  const answer = await desk.ask({ do: 'list' })
  assert.deepEqual(answer.kind === 'listed' ? answer.holders.map(({ name }) => name) : null, ['ann'])
  const index = await desk.ask({ do: 'index' })
  assert.deepEqual(index.kind === 'index' ? index.index.revoked.map(({ name }) => name) : null, ['joe'])
})

test('nobody of that name', async () => {
  const desk = new Desk()
  assert.match(await desk.problemOf({ do: 'revoke', name: 'joe' }), /nobody is called joe; "postern user list"/)
  assert.match(await desk.problemOf({ do: 'remove', name: 'a/b' }), /no name for a holder/)
})

test('wrong names, addresses, senders, hosts and days are refused before anything is written', async () => {
  const desk = new Desk()
  const wrong: readonly AuthorityRequest[] = [
    person({ name: '../joe' }),
    person({ addresses: ['joe@example.org\r\n'] }),
    person({ senders: ['not a sender'] }),
    person({ dnsNames: ['*.example.org'] }),
    person({ days: 0 }),
    { ...server, names: [] },
    { ...server, names: ['Issuing'.toLowerCase()] },
  ]
  for (const request of wrong) assert.notEqual(await desk.problemOf(request), '')
  assert.deepEqual(desk.steps, [])
})

test('a serial number that is taken is not used again', async () => {
  const desk = new Desk()
  desk.serials.push(7, 7, 7, 8)
  await desk.ask(person())
  await desk.ask(person())
  assert.deepEqual(desk.records.map(record => (record.record === 'issued' ? record.serial : '')), ['4007', '4008'])
})

for (const failing of ['audit', 'append', 'make'] as const) {
  test(`when ${failing} fails nothing counts, and the next request is heard`, async () => {
    const desk = new Desk()
    desk.failing = failing
    assert.match(await desk.problemOf(person()), failing === 'make' ? /no entropy/ : /disk full/)
    const index = await desk.ask({ do: 'index' })
    assert.deepEqual(index, { kind: 'index', index: { live: [], revoked: [] } })
    desk.failing = null
    await desk.ask(person())
  })
}

test('a revocation that could not be written is not told as done', async () => {
  const desk = new Desk()
  await desk.ask(person())
  desk.failing = 'append'
  assert.match(await desk.problemOf({ do: 'revoke', name: 'joe' }), /disk full/)
  desk.failing = null
  const answer = await desk.ask({ do: 'revoke', name: 'joe' })
  assert.equal(answer.kind === 'revoked' ? answer.fingerprints.length : 0, 1)
})

test('requests are done one after another', async () => {
  const desk = new Desk()
  const results = await Promise.all([desk.ask(person()), desk.ask(person()), desk.problemOf(person({ addresses: ['eve@example.org'] })), desk.ask({ do: 'revoke', name: 'joe' })])
  assert.deepEqual(desk.steps, ['audit', 'make', 'append', 'audit', 'make', 'append', 'audit', 'append'])
  assert.match(String(results[2]), /already a person/)
})

test('closing waits for what was asked', async () => {
  const desk = new Desk()
  const asked = desk.ask(person())
  await desk.authority.close()
  await asked
  assert.deepEqual(desk.steps, ['audit', 'make', 'append', 'close'])
})

test('show counts what was issued and revoked', async () => {
  const desk = new Desk()
  await desk.ask(person())
  await desk.ask(server)
  await desk.ask({ do: 'revoke', name: 'joe' })
  const answer = await desk.ask({ do: 'show' })
  assert.deepEqual(answer.kind === 'shown' ? [answer.authority.issued, answer.authority.revoked, answer.authority.issuingSubject] : null, [2, 1, '/CN=Issuing'])
})
