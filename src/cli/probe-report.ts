/** The report of `postern probe`, for people. */

import type { HostPort } from '../core/config/forms.ts'
import { formatHostPort } from '../core/config/forms.ts'
import type { Reply } from '../core/smtp/reply.ts'
import type { CertificateRequest } from '../io/certificate-request.ts'
import type { ProbeReport, TlsReport } from '../io/smtp-probe.ts'
import { fields, visible, type Look } from './output.ts'

export type WholeReport = HostPort & ProbeReport & {
  readonly sentCertificate: boolean
  readonly certificateRequest: CertificateRequest | null
}

export function renderProbe(report: WholeReport, look: Look): string {
  const lines: (readonly [string, string])[] = []
  const add = (name: string, value: string | null): void => void (value === null ? null : lines.push([name, value]))
  add('greeting', replyText(report.greeting, look))
  add('before TLS', extensionsText(report.extensionsBeforeTls))
  add('TLS', tlsText(report, look))
  if (report.tls !== null) {
    add('server', serverText(report.tls, look))
    add('asks for', requestText(report.certificateRequest))
    add('after TLS', extensionsText(report.extensionsAfterTls))
    add('certificate', certificateText(report, look))
  }
  add('MAIL', replyText(report.mail, look))
  add('RCPT', replyText(report.rcpt, look))
  add('DATA', replyText(report.sent, look))
  add('ended', report.ended === null ? null : look.bad(visible(report.ended)))
  const title = `${formatHostPort(report)}${report.address === null ? '' : ` (${report.address})`}`
  return `${look.bold(title)}\n${fields(lines, look)}`
}

function replyText(reply: Reply | null, look: Look): string | null {
  if (reply === null) return null
  const prefix = [reply.code, reply.enhanced].filter(part => part !== null).join(' ')
  const text = reply.lines.map(line => `${prefix} ${visible(line)}`.trimEnd()).join('\n')
  return reply.code >= 400 ? look.bad(text) : text
}

function extensionsText(extensions: readonly string[] | null): string | null {
  if (extensions === null) return null
  return extensions.length === 0 ? 'no extensions' : extensions.map(visible).join(', ')
}

function tlsText(report: WholeReport, look: Look): string | null {
  if (report.tls !== null) return `${report.tls.version}, ${report.tls.cipher}, key exchange ${report.tls.keyExchange}`
  const offered = report.extensionsBeforeTls
  return offered === null || offered.includes('STARTTLS') ? null : look.warn('not offered: everything goes in clear')
}

function serverText(tls: TlsReport, look: Look): string {
  const chain = tls.chain.map(({ subject, issuer, notAfter }) => `${visible(subject)}, issued by ${visible(issuer)}, until ${notAfter.slice(0, 10)}`)
  return [tls.problem === null ? look.good('trusted') : look.bad(`not trusted: ${tls.problem}`), ...chain].join('\n')
}

function requestText(request: CertificateRequest | null): string {
  if (request === null) return 'unknown: the openssl program could not be asked'
  if (!request.asked) return 'no certificate'
  return request.authorities.length === 0 ? 'a certificate, of any CA' : ['a certificate of', ...request.authorities.map(visible)].join('\n')
}

/** A server says what it thinks of a certificate by what it offers and takes afterwards. */
function certificateText({ sentCertificate, certificateRequest, extensionsAfterTls, mail }: WholeReport, look: Look): string | null {
  if (!sentCertificate) return null
  if (certificateRequest?.asked === false) return look.warn('not shown: the server did not ask for one')
  const external = extensionsAfterTls?.some(extension => /^AUTH .*\bEXTERNAL\b/.test(extension)) ?? false
  if (external) return look.good('accepted: AUTH EXTERNAL is offered')
  if (extensionsAfterTls === null) return null
  return mail === null ? 'shown; --from and --to tell what it is good for' : 'shown'
}
