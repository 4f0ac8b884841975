/** An authority with certificates for a server and for us, good and bad. */

import { alternativeNames, certificateAuthority, dnsName, makeCertificate, purposes, simpleName, type MadeCertificate, type Wanted } from '../support/certificate-maker.ts'
import type { SinkTls } from '../support/sink.ts'

const CN = '2.5.4.3'
const SERVER = '1.3.6.1.5.5.7.3.1'
const CLIENT = '1.3.6.1.5.5.7.3.2'

export const authority = makeCertificate({ subject: simpleName([CN, 'Test CA']), extensions: certificateAuthority() })

export function serverCertificate(name: string, changes: Partial<Wanted> = {}): MadeCertificate {
  return makeCertificate({
    subject: simpleName([CN, name]),
    issuer: authority,
    extensions: [purposes(SERVER), alternativeNames(dnsName(name))],
    ...changes,
  })
}

export const ourCertificate = makeCertificate({ subject: simpleName([CN, 'relay.test']), issuer: authority, extensions: [purposes(CLIENT)] })

export function sinkTls(certificate: MadeCertificate): SinkTls {
  return { certificatePem: certificate.pem, keyPem: certificate.keyPem, clientAuthorityPem: authority.pem }
}
