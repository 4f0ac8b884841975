import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { alternativeNames, certificateAuthority, dnsName, makeCertificate, simpleName, type MadeCertificate } from '../../test/support/certificate-maker.ts'
import { Provider } from './provider-request.ts'

const authority = makeCertificate({ subject: simpleName(['2.5.4.3', 'Provider CA']), extensions: certificateAuthority() })
const right = makeCertificate({ subject: simpleName(['2.5.4.3', 'localhost']), issuer: authority, extensions: [alternativeNames(dnsName('localhost'))] })
const wrong = makeCertificate({ subject: simpleName(['2.5.4.3', 'localhost']), issuer: authority, extensions: [alternativeNames(dnsName('elsewhere.example'))] })

let heard = 0
const [provider, impostor] = [serverOf(right), serverOf(wrong)]
const servers = [provider, impostor]

before(() => Promise.all(servers.map(server => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)))))
after(() => servers.forEach(server => server.close().closeAllConnections()))

function serverOf({ pem, keyPem }: MadeCertificate): Server {
  return createServer({ cert: pem, key: keyPem }, (_, answer) => {
    heard++
    answer.end('{}')
  })
}

/** Asks one of the servers, and hangs up. */
async function ask(server: Server, trustedPem: readonly string[] | null): Promise<string> {
  const asking = new Provider({ trustedPem, timeoutSeconds: 10, mostBytes: 100 })
  const { port } = server.address() as AddressInfo
  try {
    return await asking.ask({ url: `https://localhost:${port}/`, method: 'POST', headers: {}, body: 'token=secret-token' })
  } catch (error) {
    return (error as Error).message
  } finally {
    asking.close()
  }
}

test('a provider is believed by the CAs that are named for it', async () => {
  assert.equal(await ask(provider, [authority.pem]), '{}')
})

test('S16: nobody else is, and nothing is sent to him', async () => {
  heard = 0
  assert.match(await ask(provider, null), /^https:\/\/localhost:\d+\/: unable to /)
  assert.match(await ask(impostor, [authority.pem]), /^https:\/\/localhost:\d+\/: .*altnames/)
  assert.equal(heard, 0)
})
