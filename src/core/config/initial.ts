/**
 * The files that `postern init` writes for an administrator to edit.
 *
 * They hold what init was told, and beside it, commented out, what most sites change next.
 */

import type { ListenerName } from '../policy/decision.ts'

export type InitialSettings = {
  readonly hostname: string
  readonly domains: readonly string[]
  /** HOST:PORT, or null to deliver to MX hosts. */
  readonly smarthost: string | null
  /** The smarthost is the one that `postern up` runs for trying things out. */
  readonly smarthostIsTrial: boolean
  /** HOST:PORT of listeners whose usual ports are taken. */
  readonly addresses: { readonly [Name in ListenerName]?: string }
  /** The file with the passphrase of the CA key, or null. */
  readonly passphraseFile: string | null
}

/** Tables that hold nothing yet are commented out as a whole, so that one of the same name may be added below. */
export function renderInitialConfig(settings: InitialSettings): string {
  const { hostname, domains, passphraseFile } = settings
  return `# Postern's configuration.
# Every key has a default. docs/reference/settings.md lists them all, and "postern check" finds what is wrong here.
# After a change: postern reload

hostname = ${quote(hostname)}
# user = "postern"            # account of the processes that read mail, when started as root

[relay]
# Our own domains: mail to them is accepted from anyone. Who may send elsewhere is said in the file "access".
domains = [${domains.map(quote).join(', ')}]
# sender-binding = "enforce"  # "warn" or "off" lets a certificate send as other addresses than its own

${listenerTables(settings)}

${deliveryTable(settings)}

# A next hop of its own for some domains.
# [[route]]
# domain = "example.net"
# to = "mail.example.net:25"
# tls = "verify"

# [queue]
# lifetime = "5d"             # then the message bounces
# delay-warning = "4h"        # then the sender is told, once

# [limits]
# message-size = "50MiB"
${passphraseFile === null ? '' : `\n[ca]\npassphrase-file = ${quote(passphraseFile)}\n`}
# What must stay true, whatever is changed above or in "access". Run by "postern check" and before every reload.
[[test]]
as = "anonymous"
from = "stranger@example.com"
to = "someone@elsewhere.example"
expect = "refuse"
`
}

/** `issuer` is the issuing CA's name in access-map form. */
export function renderInitialAccess(issuer: string): string {
  return `# Who may relay: sendmail's access map. The first column is what is looked up, the rest of the line is the answer.
# docs/reference/access-map.md has all keys and values. After a change: postern access lint && postern reload

# Everyone who holds a certificate of our own CA may relay.
CERTISSUER:${issuer}\tRELAY

# To choose one by one, put SUBJECT in place of RELAY above, and a line for each certificate.
# "postern dn FILE.pem" prints these lines, ready to paste.
# CERTSUBJECT:/O=Example/CN=joe\tRELAY

# Other things a line can say:
# To:list@example.org\tERROR:5.1.1:550 That list has moved
# From:spammer@example.net\tREJECT
# Connect:192.0.2.66\tREJECT
# Connect:10.0.0.0/22\tRELAY
# USER:joe\tREJECT
`
}

function listenerTables({ addresses }: InitialSettings): string {
  const usual = `# Ports 25 (mx), 587 (submission) and 465 (submissions) on every address,
# or 2525, 2587 and 2465 where ports below 1024 can't be bound.`
  const chosen = Object.entries(addresses)
  if (chosen.length === 0) return `${usual}\n# [listeners.mx]\n# address = "192.0.2.1:25"\n# [listeners.submissions]\n# enabled = false`
  const tables = chosen.map(([name, address]) => `[listeners.${name}]\naddress = ${quote(address)}`)
  return `${usual}\n# Another program had these when this file was written:\n${tables.join('\n')}`
}

function deliveryTable({ smarthost, smarthostIsTrial }: InitialSettings): string {
  if (smarthost === null) {
    return `# Without a smarthost, mail goes to each domain's MX hosts.
# [delivery]
# smarthost = "smtp.example.net:25"
# tls = "verify"              # insist on a good certificate; the default, "opportunistic", encrypts where it can`
  }
  if (smarthostIsTrial) {
    return `[delivery]
# For trying things out: "postern up" runs this next hop itself. It keeps each message as a file in sink/, and sends none on.
# To deliver for real, delete the next line (mail then goes to each domain's MX hosts), or name your provider's server.
smarthost = ${quote(smarthost)}`
  }
  return `[delivery]
# Every message goes to this server. Without it, mail goes to each domain's MX hosts.
smarthost = ${quote(smarthost)}
# tls = "verify"              # insist on a good certificate; the default, "opportunistic", encrypts where it can`
}

/** A TOML basic string; JSON's escapes are a subset of TOML's. */
function quote(text: string): string {
  return JSON.stringify(text)
}
