/**
 * `node test/interop/differential/run.ts [--seed N] [--maps N] [--sessions N]`: Sendmail's answers and the policy's.
 *
 * Makes up sites, access maps and sessions; plays each session with Sendmail by SMTP and with `decide`,
 * and prints every difference that known-differences.ts has no reason for. `--only MAP` repeats one
 * map of a run, `--show` prints each session. Exit status 1: there are such differences.
 */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SAFE_FOLDER } from '../servers/sendmail.ts'
import { compareWithSendmail } from './compare.ts'
import { HOSTNAME } from './world.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    maps: { type: 'string', default: '120' },
    sessions: { type: 'string', default: '6' },
    only: { type: 'string' },
    show: { type: 'boolean', default: false },
    inside: { type: 'string' },
  },
})

const NAMESPACE = `set -e
hostname ${HOSTNAME}
ip link set lo up
ip route add local 0.0.0.0/0 dev lo
ip -6 route add local ::/0 dev lo
echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind
for name in resolv.conf nsswitch.conf hosts; do mount --bind "$0/$name" "/etc/$name"; done
exec "$@"`

process.exitCode = values.inside === undefined ? await enter() : await runInside(values.inside)

/** The rest happens in a network of its own, in which all addresses are here and a name server can be ours. */
async function enter(): Promise<number> {
  const folder = mkdtempSync(join(SAFE_FOLDER, 'postern-differential-'))
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\nsearch .\n')
  writeFileSync(join(folder, 'nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n')
  writeFileSync(join(folder, 'hosts'), `127.0.0.1 localhost\n192.0.2.30 ${HOSTNAME}\n`)
  try {
    const script = [import.meta.filename, ...process.argv.slice(2), '--inside', folder]
    const child = spawn('unshare', ['--net', '--mount', '--uts', 'sh', '-c', NAMESPACE, folder, process.execPath, ...script], { stdio: 'inherit' })
    return await new Promise((resolve, reject) => child.on('error', reject).on('close', code => resolve(code ?? 1)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runInside(folder: string): Promise<number> {
  const { seed, maps, sessions, only, show } = values
  const options = { folder, seed: Number(seed), maps: Number(maps), sessions: Number(sessions), only: only === undefined ? null : Number(only), show }
  const { compared, overTls, known, unexplained } = await compareWithSendmail(options, line => console.log(line))
  for (const [reason, count] of known) console.log(`${count} known: ${reason}`)
  console.log(`seed ${seed}: ${compared} sessions compared, ${overTls} of them over TLS; ${unexplained} differences without a reason`)
  return unexplained === 0 ? 0 : 1
}
