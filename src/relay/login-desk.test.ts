import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { PasswordRecord, SiteRecord } from '../core/accounts/password-file.ts'
import { LoginBackOff } from '../core/limits/login-backoff.ts'
import { UNKNOWN_CERTIFICATE } from '../core/names/identity.ts'
import type { Asker } from '../core/policy/decision.ts'
import type { CredentialAnswer, CredentialQuestion, LoginFailure } from '../core/sasl/script.ts'
import type { TokenVerdict } from '../core/tokens/claims.ts'
import { AccountRegister, type Accounts } from './account-register.ts'
import { LoginDesk } from './login-desk.ts'
import { hashPassword } from './password-keys.ts'
import { TooBusy, type PasswordCrypto } from './ports.ts'

/** Failures of one network that are looked at. */
const ALLOWANCE = 30
const PASSWORD = 'correct horse battery'
const site: SiteRecord = { record: 'site', secret: Buffer.alloc(32, 1).toString('base64'), argon2id: { memory: 8, passes: 1, parallelism: 1 }, scramIterations: 4096 }

test('the right password of a person logs in, from where it may', async () => {
  const desk = await open()
  assert.equal((await desk.try('joe', PASSWORD)).kind, 'loggedIn')
  assert.equal((await desk.try('JOE@example.org', PASSWORD)).kind, 'loggedIn')
  assert.equal((await desk.try('joe', PASSWORD, '203.0.113.1')).kind, 'failed')
  assert.deepEqual(desk.failures, ['wrongNetwork'])
})

test('S16: a name that nobody has costs the same work as one that somebody has', async () => {
  const desk = await open()
  await desk.try('joe', 'wrong')
  const work = desk.hashed()
  await desk.try('ghost', 'wrong')
  assert.equal(desk.hashed() - work, work)
  assert.deepEqual(desk.failures, ['wrongPassword', 'unknownUser'])
})

test('S16: a password that is taken away while it is looked at does not count', async () => {
  const desk = await open({ whileHashing: register => register.replace({ site, holders: [] }) })
  assert.equal((await desk.try('joe', PASSWORD)).kind, 'failed')
})

test('S16: failures make the next attempt wait before anybody looks, by the name as it was typed', async () => {
  const desk = await open()
  await desk.try('joe', 'wrong')
  await desk.try('joe', PASSWORD, '192.0.3.1')
  await desk.try('joe@example.org', PASSWORD, '192.0.4.1')
  assert.deepEqual(desk.waits, [250])
})

test('S16: many attempts at one time are looked at no oftener than as many in turn', async () => {
  const desk = await open()
  await Promise.all(Array.from({ length: 100 }, (_, at) => desk.try(`joe${at}`, 'wrong')))
  assert.equal(desk.failures.filter(why => why === 'unknownUser').length, ALLOWANCE)
  assert.equal(desk.failures.filter(why => why === 'tooManyFailures').length, 100 - ALLOWANCE)
})

test('S16: and so are SCRAM exchanges that have all begun before the first has failed', async () => {
  const desk = await open()
  const attempts = Array.from({ length: 100 }, (_, at) => ({ mechanism: 'SCRAM-SHA-256', login: `joe${at}`, wanted: '' }))
  const starts = await Promise.all(attempts.map(attempt => desk.ask({ kind: 'startScram', attempt, hash: 'SHA-256', binding: null })))
  assert.ok(starts.every(({ kind }) => kind === 'scramStarted'))
  await Promise.all(attempts.map(attempt => desk.ask({ kind: 'checkProof', attempt, hash: 'SHA-256', authMessage: 'n=joe', proof: new Uint8Array(32) })))
  assert.equal(desk.failures.filter(why => why === 'unknownUser').length, ALLOWANCE)
  const late = await desk.ask({ kind: 'startScram', attempt: attempts[0]!, hash: 'SHA-256', binding: null })
  assert.deepEqual(late, { kind: 'failed', problem: 'tooMany' })
})

test('S16: and so are exchanges that end in a mistake', async () => {
  const desk = await open()
  for (let at = 0; at < 100; at++) await desk.ask({ kind: 'noteFailure', attempt: { mechanism: 'SCRAM-SHA-256', login: `joe${at}`, wanted: '' }, why: 'downgrade' })
  assert.equal(desk.failures.filter(why => why === 'downgrade').length, ALLOWANCE)
  assert.equal(desk.failures.filter(why => why === 'tooManyFailures').length, 100 - ALLOWANCE)
})

test('S18: what is remembered of a name does not grow with it', async () => {
  const desk = await open()
  for (const login of ['joe', 'x'.repeat(9000), 'x'.repeat(8999)]) await desk.try(login, 'wrong')
  assert.deepEqual(desk.remembered.map(({ length }) => length), [44, 44, 44])
  assert.equal(new Set(desk.remembered).size, 3)
})

test('S16: an attempt waits for the failures of those that were looked at while it was', async () => {
  const desk = await open()
  await Promise.all(Array.from({ length: 4 }, (_, at) => desk.try('joe', 'wrong', `192.0.${at}.1`)))
  assert.deepEqual(desk.waits.toSorted((a, b) => a - b), [250, 250, 250, 250, 250, 500])
})

test('S18: with too many to look at nobody is logged in, and it is no failure of theirs', async () => {
  const desk = await open({ busy: true })
  assert.deepEqual(await desk.try('joe', PASSWORD), { kind: 'failed', problem: 'unavailable' })
  assert.deepEqual(desk.failures, ['tooBusy'])
  await desk.try('joe', PASSWORD)
  assert.deepEqual(desk.waits, [])
})

test('a token is a login of whom it names, who is known by name or address and acts as nobody else', async () => {
  const desk = await open({ verify: () => Promise.resolve({ kind: 'valid', user: 'Joe@example.org', isExact: false, until: null }) })
  for (const user of ['', 'joe', 'JOE@example.org']) {
    const answer = await desk.tryToken(user)
    assert.deepEqual(answer.kind === 'loggedIn' && [answer.account.holder.name, answer.account.device, answer.account.passwordId], ['joe', null, 'token joe 1'])
  }
  for (const user of ['jane', 'ghost', 'jane@example.org']) assert.deepEqual(await desk.tryToken(user), { kind: 'failed', problem: 'refused' })
  assert.deepEqual(desk.failures, ['wrongIdentity', 'wrongIdentity', 'wrongIdentity'])
})

test('S16: what an issuer tells apart by case only is not taken for one', async () => {
  for (const [user, expected] of [['joe', 'loggedIn'], ['joe@example.org', 'loggedIn'], ['Joe', 'failed'], ['JOE@example.org', 'failed'], ['@example.org', 'failed']] as const) {
    const desk = await open({ verify: () => Promise.resolve({ kind: 'valid', user, isExact: true, until: null }) })
    assert.equal((await desk.tryToken('joe')).kind, expected, user)
    if (expected === 'failed') assert.deepEqual([desk.failures, desk.names], [['unknownUser'], [user]])
  }
})

test('S16: a token of nobody of ours fails as a wrong one does; what the client calls itself is no proof', async () => {
  const desk = await open({ verify: () => Promise.resolve({ kind: 'valid', user: 'stranger', isExact: false, until: null }) })
  assert.deepEqual(await desk.tryToken('joe'), { kind: 'failed', problem: 'refused' })
  assert.deepEqual(await desk.tryToken(''), { kind: 'failed', problem: 'refused' })
  assert.deepEqual(desk.failures, ['unknownUser', 'unknownUser'])
  assert.deepEqual(desk.names, ['stranger', 'stranger'])
})

test('S16: a holder that is revoked while a token is looked at is nobody', async () => {
  const desk = await open({
    verify: (_, register) => {
      register.replace({ site, holders: [] })
      return Promise.resolve({ kind: 'valid', user: 'joe', isExact: false, until: null })
    },
  })
  assert.deepEqual(await desk.tryToken('joe'), { kind: 'failed', problem: 'refused' })
})

test('S16: a token that has ended by the time it is its turn is none', async () => {
  const desk = await open({ verify: () => Promise.resolve({ kind: 'valid', user: 'joe', isExact: false, until: 0 }) })
  assert.deepEqual(await desk.tryToken('joe'), { kind: 'failed', problem: 'refused' })
  assert.deepEqual(desk.failures, ['expiredToken'])
})

test('S16: wrong tokens make the next ones wait, those without a user only by their network', async () => {
  const desk = await open({ verify: () => Promise.resolve({ kind: 'refused', why: 'expiredToken' }) })
  await desk.tryToken('joe')
  await desk.tryToken('joe', '192.0.3.1')
  await desk.tryToken('', '192.0.4.1')
  await desk.tryToken('', '192.0.5.1')
  await desk.tryToken('', '192.0.5.1')
  assert.deepEqual(desk.waits, [250, 250])
  assert.deepEqual(new Set(desk.failures), new Set(['expiredToken']))
})

test('a provider that cannot be asked is no failure of the client', async () => {
  const desk = await open({ verify: () => Promise.reject(new Error('https://login.example.org/: no answer within 10 seconds')) })
  await assert.rejects(desk.tryToken('joe'))
  assert.deepEqual([desk.failures, desk.waits], [[], []])
  const busy = await open({ verify: () => Promise.reject(new TooBusy()) })
  assert.deepEqual(await busy.tryToken('joe'), { kind: 'failed', problem: 'unavailable' })
  assert.deepEqual(busy.failures, ['tooBusy'])
})

test('what ends when accounts change: passwords one by one, tokens with their holder', () => {
  const holder = (name: string, tokenId: string | null): Accounts['holders'][number] => ({ holder: { name, kind: 'person', senders: [] }, certificate: '', passwords: [], tokenId })
  const register = new AccountRegister({ site: null, holders: [holder('joe', 'token joe 1'), holder('jane', 'token jane 1')] }, () => UNKNOWN_CERTIFICATE)
  assert.deepEqual(register.replace({ site: null, holders: [holder('joe', 'token joe 2'), holder('jane', 'token jane 1')] }), [{ id: 'token joe 1', name: 'joe', what: 'token' }])
  assert.deepEqual(register.replace(null).map(({ id }) => id), ['token joe 2', 'token jane 1'])
})

test('an address that two share is nobody\'s to log in with; a name comes before an address', () => {
  const named = (name: string, ...senders: readonly string[]): Accounts['holders'][number] => ({ holder: { name, kind: 'machine', senders }, certificate: '', passwords: [], tokenId: null })
  const register = new AccountRegister({ site, holders: [named('copier', 'office@example.org'), named('joe', 'office@example.org', 'joe@example.org')] }, () => UNKNOWN_CERTIFICATE)
  assert.equal(register.find('office@example.org'), null)
  assert.equal(register.find('joe@example.org')?.holder.name, 'joe')
})

/** Tells under what names failures are remembered. */
class NamesTold extends LoginBackOff {
  readonly #told: string[]

  constructor(told: string[]) {
    super({ amount: ALLOWANCE, seconds: 600 }, 100)
    this.#told = told
  }

  override failed(name: string, network: string, now: number): void {
    this.#told.push(name)
    super.failed(name, network, now)
  }
}

type Options = {
  readonly busy?: boolean
  readonly whileHashing?: (register: AccountRegister) => void
  readonly verify?: (token: string, register: AccountRegister) => Promise<TokenVerdict>
}

async function open({ busy = false, whileHashing = () => {}, verify = () => assert.fail('no token here') }: Options = {}) {
  let hashed = 0
  const failures: LoginFailure[] = []
  const names: string[] = []
  const waits: number[] = []
  const remembered: string[] = []
  const crypto: PasswordCrypto = {
    argon2id: (password, salt) => {
      hashed++
      return Promise.resolve(createHmac('sha256', salt).update(password).digest())
    },
    pbkdf2: () => assert.fail('no SCRAM here'),
    hmac: (_, key, message) => createHmac('sha256', key).update(message).digest(),
    digest: (_, octets) => createHash('sha256').update(octets).digest(),
    isSame: (a, b) => Buffer.compare(a, b) === 0,
    random: octets => Buffer.alloc(octets, 1),
    toBase64: octets => Buffer.from(octets).toString('base64'),
    fromBase64: text => Buffer.from(text, 'base64'),
  }
  const password: PasswordRecord = {
    record: 'password', id: 'abcdefgh', holder: 'joe', device: 'phone', createdAt: 0, networks: ['192.0.0.0/16'],
    argon2id: crypto.toBase64(await hashPassword(crypto, site, 'joe', PASSWORD)), scram: [],
  }
  const holder = { name: 'joe', kind: 'person', senders: ['joe@example.org'] } as const
  const register = new AccountRegister({ site, holders: [{ holder, certificate: '', passwords: [password], tokenId: 'token joe 1' }] }, () => UNKNOWN_CERTIFICATE)
  hashed = 0
  const desk = new LoginDesk({
    crypto: {
      ...crypto,
      argon2id: (...asked) => {
        whileHashing(register)
        return busy ? Promise.reject(new TooBusy()) : crypto.argon2id(...asked)
      },
    },
    register,
    tokens: { verify: token => verify(token, register) },
    backOff: new NamesTold(remembered),
    isExempt: () => false,
    observer: { loggedIn: () => {}, loginFailed: (_client, { login }, why) => void (failures.push(why), names.push(login)) },
    system: { now: () => 0, newId: () => 'x', random: () => 0 },
    timers: {
      after: (milliseconds, callback) => {
        waits.push(milliseconds)
        callback()
        return () => {}
      },
    },
  })
  const callerAt = (address: string): Asker => ({ listener: 'submissions', host: { address, name: null }, hello: '', identity: { kind: 'plaintext' }, authentication: null })
  const ask = (question: CredentialQuestion, address = '192.0.2.7'): Promise<CredentialAnswer> =>
    desk.answer(question, { sessionId: 's', id: 's.1', asker: callerAt(address), address, bindingOf: () => null })
  return {
    failures,
    names,
    waits,
    remembered,
    hashed: () => hashed,
    ask,
    tryToken: (user: string, address?: string): Promise<CredentialAnswer> =>
      ask({ kind: 'checkToken', attempt: { mechanism: 'OAUTHBEARER', login: user, wanted: user }, token: 'a-token' }, address),
    try: (login: string, secret: string, address?: string): Promise<CredentialAnswer> =>
      ask({ kind: 'checkPassword', attempt: { mechanism: 'PLAIN', login, wanted: '' }, password: secret }, address),
  }
}
