/**
 * sendmail.toml: where `postern sendmail` takes the mail of programs, and as whom.
 *
 * A file of its own, because whoever may send must be able to read it, and postern.toml is nobody
 * else's business.
 */

import { z } from 'zod'
import type { Result } from '../result.ts'
import { domain, flag, nextHop, path } from './forms.ts'
import { parseBySchema, type ConfigProblem } from './parse.ts'

/** RFC 8314 §3.3, and the port that ours takes where it can't be bound. */
const IMPLICIT_TLS_PORTS: ReadonlySet<number> = new Set([465, 2465])

const schema = z
  .strictObject({
    relay: nextHop,
    certificate: path,
    key: path,
    ca: path.optional(),
    'implicit-tls': flag().optional(),
    'server-name': domain.optional(),
    domain: domain.optional(),
  })
  .transform(settings => ({
    relay: settings.relay,
    certificateFile: settings.certificate,
    keyFile: settings.key,
    implicitTls: settings['implicit-tls'] ?? IMPLICIT_TLS_PORTS.has(settings.relay.port),
    /** Null: the public CAs. */
    caFile: settings.ca ?? null,
    /** The name that the server's certificate must be for. */
    serverName: settings['server-name'] ?? settings.relay.host,
    /** What follows the @ of an address that has none; null: the name of this host. */
    domain: settings.domain ?? null,
  }))

export type SendmailSettings = Readonly<z.output<typeof schema>>

/** `file` is only for the words of problems. */
export function parseSendmailSettings(text: string, file: string): Result<SendmailSettings, readonly ConfigProblem[]> {
  return parseBySchema(schema, text, file)
}
