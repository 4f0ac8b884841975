/** What a data directory must be to be used, and what is said if it is not. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { ok } from '../../src/core/result.ts'
import type { Policy } from '../../src/core/policy/policy.ts'
import { judgeSettings } from '../../src/process/judgement.ts'
import { loadSettings, type LoadedSettings } from '../../src/process/settings.ts'
import { certificateAuthority, makeCertificate, purposes, simpleName } from '../support/certificate-maker.ts'
import type { MadeCertificate } from '../support/certificate-maker.ts'
import { CLIENT_AUTH } from '../support/handshakes.ts'
import { makePostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'

let postern: Postern

before(async () => {
  postern = await makePostern({ settings: { listeners: { mx: { 'client-ca': ['partner.pem'] } } } })
})

after(async () => {
  await postern?.dispose()
})

const root = ca('Partner Root')
const issuing = ca('Partner Issuing', root)
const person = makeCertificate({ subject: simpleName(['2.5.4.3', 'ann']), issuer: issuing, extensions: [purposes(CLIENT_AUTH)] })

test('every CA of a client-ca file counts on its listener', () => {
  assert.equal(withPartner([issuing, root]), null)
  const loaded = loadSettings(postern.folder)
  assert.deepEqual(loaded.ok && loaded.value.forWorkers.clientAuthoritiesPem.mx.map(pem => pem.trim()), [issuing, root].map(({ pem }) => pem.trim()))
  assert.deepEqual(loaded.ok && loaded.value.forWorkers.clientAuthoritiesPem.submission, [])
})

test('a client-ca file without the CA above, with a person in it, or with nothing in it is refused with a remedy', () => {
  assert.match(withPartner([issuing]) ?? '', /partner\.pem: listeners\.mx\.client-ca: CN=Partner Issuing is no root; put the certificate of the CA above it/)
  assert.match(withPartner([root, person]) ?? '', /certificate 2 of the file cannot be read, or is no CA's/)
  assert.match(withPartner([]) ?? '', /there is no certificate in it/)
})

test('a certificate and a key that do not belong together are refused', () => {
  const file = path.join(postern.folder, 'tls', 'server.pem')
  const good = readFileSync(file)
  writeFileSync(file, readFileSync(path.join(postern.folder, 'tls', 'client.pem')))
  assert.match(withPartner([root]) ?? '', /tls\.key is not the key of this certificate; issue a new pair with: postern ca issue server/)
  writeFileSync(file, good)
})

test('a folder that is no data directory is told how to become one', () => {
  const loaded = loadSettings(path.join(postern.folder, 'ca'))
  assert.match(loaded.ok ? '' : loaded.problem.join('\n'), /postern\.toml: no such file; make a data directory with: postern init/)
})

const accessFile = (): string => path.join(postern.folder, 'access')

test('an access map that sendmail would misread is refused, with its lines; read as sendmail reads it, it is loaded with warnings', () => {
  const [access, config] = [readFileSync(accessFile(), 'utf8'), readFileSync(path.join(postern.folder, 'postern.toml'), 'utf8')]
  try {
    writeFileSync(accessFile(), `Connect:10.1 RELLAY\nConnect:10.1 OK\nTLS_Clt: VERFIY\n${access}`)
    const strict = loadSettings(postern.folder)
    const problems = strict.ok ? [] : strict.problem
    assert.deepEqual(problems.map(problem => problem.replace(/^.*access:/, '').slice(0, 12)), ['1: "RELLAY" ', '2: key conne', '3: "VERFIY" '])
    assert.match(problems.join('\n'), /did you mean RELAY\?[^]*compatibility = "sendmail"/)
    writeFileSync(path.join(postern.folder, 'postern.toml'), config.replace('[relay]', '[relay]\ncompatibility = "sendmail"'))
    const asSendmail = loadSettings(postern.folder)
    assert.equal(asSendmail.ok ? asSendmail.value.warnings.length : asSendmail.problem.join('\n'), 3)
  } finally {
    writeFileSync(accessFile(), access)
    writeFileSync(path.join(postern.folder, 'postern.toml'), config)
  }
})

test('what TLS_Clt_Features lines name is read with the settings, and what OpenSSL does not take is refused', () => {
  const access = readFileSync(accessFile(), 'utf8')
  const load = (lines: string): ReturnType<typeof loadSettings> => {
    writeFileSync(accessFile(), `${lines}\n${access}`)
    return loadSettings(postern.folder)
  }
  const problemOf = (lines: string): string => {
    const loaded = load(lines)
    return loaded.ok ? '' : loaded.problem.join('\n')
  }
  try {
    const good = load('TLS_Clt_Features:mx.example.net CertFile=tls/client.pem; KeyFile=tls/client.key; CipherList=HIGH')
    assert.deepEqual(good.ok ? Object.keys(good.value.forWorkers.sessionPem) : good.problem, ['tls/client.pem', 'tls/client.key'])
    assert.match(problemOf('# one\ntls_clt_features:mx.example.net CipherList=NONE-SUCH'), /access:2: OpenSSL does not take it: .*no cipher match.*; correct the line, or take it out/)
    assert.match(problemOf('TLS_Clt_Features:mx.example.net CertFile=tls/client.pem; KeyFile=tls/server.key'), /access:1: OpenSSL does not take it: .*key/)
    assert.match(problemOf('TLS_Clt_Features:mx.example.net CertFile=tls/none.pem; KeyFile=tls/client.key'), /none\.pem: no such file; a TLS_Clt_Features line of the access map names it/)
    assert.match(problemOf('TLS_Clt_Features:mx.example.net Flags=R'), /access:1: the flag R wants revocation lists/)
  } finally {
    writeFileSync(accessFile(), access)
  }
})

test('lines that only do less than they seem to are loaded with a warning', () => {
  const access = readFileSync(accessFile(), 'utf8')
  writeFileSync(accessFile(), `From:friend@example.net RELAY\n${access}`)
  const loaded = loadSettings(postern.folder)
  writeFileSync(accessFile(), access)
  assert.match(loaded.ok ? loaded.value.warnings.join('\n') : loaded.problem.join('\n'), /access:1: a sender address permits no relaying/)
})

test('of an access map with thousands of mistakes the first are told', () => {
  const access = readFileSync(accessFile(), 'utf8')
  writeFileSync(accessFile(), Array.from({ length: 5000 }, (_, at) => `Connect:10.${at >> 8}.${at & 255} RELLAY\n`).join(''))
  const loaded = loadSettings(postern.folder)
  writeFileSync(accessFile(), access)
  assert.equal(loaded.ok ? 0 : loaded.problem.length, 51)
  assert.match(loaded.ok ? '' : (loaded.problem.at(-1) ?? ''), /4950 more of the kind; "postern access lint" lists all/)
})

/** The problems with that file of a partner's CAs; null if there are none. */
function withPartner(authorities: readonly MadeCertificate[]): string | null {
  writeFileSync(path.join(postern.folder, 'partner.pem'), authorities.map(({ pem }) => pem).join('\n'))
  const loaded = loadSettings(postern.folder)
  return loaded.ok ? null : loaded.problem.join('\n')
}

function ca(commonName: string, issuer?: MadeCertificate): MadeCertificate {
  return makeCertificate({ subject: simpleName(['2.5.4.3', commonName]), extensions: certificateAuthority(), ...(issuer === undefined ? {} : { issuer }) })
}

test('an access map that is the same is read once: by a reload, and for its [[test]] cases', () => {
  const load = (before: LoadedSettings | null): LoadedSettings => {
    const loaded = loadSettings(postern.folder, before)
    assert.ok(loaded.ok)
    return loaded.value
  }
  const judged = (loaded: LoadedSettings, before: Policy | null): Policy => judgeSettings(postern.folder, loaded, ok([]), Date.now(), before).policy
  const first = load(null)
  const policy = judged(first, null)
  const again = load(first)
  assert.deepEqual([policy.access, again.access.map, judged(again, policy).access].map(map => map === first.access.map), [true, true, true])
  const text = readFileSync(accessFile(), 'utf8')
  try {
    writeFileSync(accessFile(), `To:closed@example.net REJECT\n${text}`)
    const changed = load(first)
    assert.equal(judged(changed, policy).access, changed.access.map)
    assert.ok(changed.access.map.find('to:closed@example.net') !== null)
  } finally {
    writeFileSync(accessFile(), text)
  }
})
