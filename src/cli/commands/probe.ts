/** postern probe */

import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { isHostname, isIpAddress, parseHostPort, type HostPort } from '../../core/config/forms.ts'
import { certificateRequestOf } from '../../io/certificate-request.ts'
import { probe, type ProbeRequest } from '../../io/smtp-probe.ts'
import { readClientCertificate } from '../client-certificate.ts'
import { defineCommand, Problem, UsageProblem, type Args, type OptionSpecs } from '../command.ts'
import { renderProbe } from '../probe-report.ts'

const SMTP_PORT = 25
/** RFC 8314 §3.3, and the port that ours takes where it can't be bound. */
const IMPLICIT_TLS_PORTS = [465, 2465]
const TIMEOUT_SECONDS = 30

const OPTIONS = {
  'implicit-tls': { type: 'flag', describe: 'TLS from the first byte (by itself on port 465).' },
  cert: { type: 'text', value: 'FILE', describe: 'A certificate to show: PEM, or PKCS#12.' },
  key: { type: 'text', value: 'FILE', describe: 'The key of a PEM certificate, if it is in a file of its own.' },
  'password-file': { type: 'text', value: 'FILE', describe: 'The password of a PKCS#12 file (default: ask).' },
  from: { type: 'text', value: 'A', describe: 'Ask whether this sender would be taken.' },
  to: { type: 'text', value: 'A', describe: 'Ask whether this recipient would be taken.' },
  send: { type: 'flag', describe: 'Really send a short message, from --from to --to.' },
  ca: { type: 'text', value: 'FILE', describe: 'A CA to trust, beside the public ones and our own.' },
} as const satisfies OptionSpecs

export default defineCommand({
  summary: 'Say what an SMTP server really does: extensions, TLS, chain, whether a certificate is accepted.',
  details: 'Works on any SMTP server. Nothing is sent unless --send is given.',
  operands: 'HOST[:PORT]',
  options: OPTIONS,
  examples: [
    'postern probe mx.example.org',
    'postern probe localhost:2587 --cert joe.pem --key joe.key --from joe@example.org --to ann@example.net',
    'postern probe smtp.example.net:465 --cert joe.p12 --json',
  ],
  run: async ({ args, operands: [operand = ''], directory }) => {
    const target = targetOf(operand)
    const request = await requestFrom(args, target, directory)
    const { implicitTls, timeoutSeconds } = request
    const report = await probe(request)
    const certificateRequest = report.tls === null ? null : await certificateRequestOf({ ...target, implicitTls, timeoutSeconds })
    return { ...target, sentCertificate: args.cert !== undefined, wantedToSend: args.send, ...report, certificateRequest }
  },
  render: (report, look) => renderProbe(report, look),
  exitCode: ({ ended, wantedToSend, sent }) => (ended !== null || (wantedToSend && sent?.code !== 250) ? 1 : 0),
})

function targetOf(operand: string): HostPort {
  const bare = operand.replace(/^\[(.*)\]$/, '$1')
  const target = isHostname(bare) || isIpAddress(bare) ? { host: bare, port: SMTP_PORT } : parseHostPort(operand, 1)
  if (target === null) throw new UsageProblem(`"${operand}" is no host; write HOST or HOST:PORT, such as mx.example.org:587 or [2001:db8::9]:25`)
  return target
}

async function requestFrom(args: Args<typeof OPTIONS>, target: HostPort, directory: string): Promise<ProbeRequest> {
  if (args.key !== undefined && args.cert === undefined) throw new UsageProblem('--key goes with --cert')
  if (args.send && (args.from === undefined || args.to === undefined)) throw new UsageProblem('--send needs --from and --to')
  if (args.to !== undefined && args.from === undefined) throw new UsageProblem('--to needs --from')
  const { from, to = null } = args
  for (const address of [from, to]) {
    if (address !== undefined && address !== null && /[\p{Cc}<> ]/u.test(address)) throw new UsageProblem(`"${address}" is no address; write it as joe@example.org`)
  }
  return {
    ...target,
    implicitTls: args['implicit-tls'] || IMPLICIT_TLS_PORTS.includes(target.port),
    helloName: isHostname(os.hostname()) ? os.hostname() : 'localhost',
    trustedPem: trusted(directory, args.ca),
    clientCertificate: args.cert === undefined ? null : await readClientCertificate(args.cert, args.key, args['password-file']),
    transaction: from === undefined ? null : { reversePath: from, forwardPath: to, message: args.send && to !== null ? shortMessage(from, to) : null },
    timeoutSeconds: TIMEOUT_SECONDS,
  }
}

function trusted(directory: string, file: string | undefined): readonly string[] {
  const ours = path.join(directory, 'ca', 'ca.pem')
  const files = [...(existsSync(ours) ? [ours] : []), ...(file === undefined ? [] : [file])]
  try {
    return [...tls.rootCertificates, ...files.map(name => readFileSync(name, 'utf8'))]
  } catch (error) {
    throw new Problem(`cannot read a CA to trust: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** RFC 5322 §3.6: origin and date are what a message must have. */
function shortMessage(from: string, to: string): string {
  const date = new Date().toUTCString().replace('GMT', '+0000')
  const header = [`From: <${from}>`, `To: <${to}>`, `Date: ${date}`, 'Subject: A message from postern probe']
  return [...header, '', 'It works.', ''].join('\r\n')
}
