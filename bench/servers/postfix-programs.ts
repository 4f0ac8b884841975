/**
 * Finds Postfix's programs: the installed ones, else Debian's package unpacked into a cache folder.
 *
 * It is unpacked rather than installed because Debian lets a machine have one mail server only, and
 * the one that is there is not ours to replace. What the unpacked programs need beyond that, they
 * get by their configuration: where their libraries are, and the two accounts that they run under.
 */

import { execFile } from 'node:child_process'
import { access, mkdir, readdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type PostfixPrograms = {
  readonly postfix: string
  readonly postconf: string
  /** Settings for main.cf that point to the programs. */
  readonly settings: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string>>
}

export async function findPostfix(): Promise<PostfixPrograms> {
  if (await exists('/usr/lib/postfix/sbin/master')) {
    return { postfix: '/usr/sbin/postfix', postconf: '/usr/sbin/postconf', settings: {}, environment: {} }
  }
  const root = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'postern-bench', 'postfix')
  if (!(await exists(join(root, 'unpacked')))) await unpack(root)
  await makeAccounts()
  const ownLibraries = join(root, 'usr/lib/postfix')
  const libraryPath = [ownLibraries, ...(await sharedLibraryFolders(root))].join(':')
  return {
    postfix: join(root, 'usr/sbin/postfix'),
    postconf: join(root, 'usr/sbin/postconf'),
    settings: {
      command_directory: join(root, 'usr/sbin'),
      daemon_directory: join(ownLibraries, 'sbin'),
      shlib_directory: ownLibraries,
      meta_directory: join(root, 'etc/postfix'),
      // Postfix starts its programs with an environment of this list only.
      import_environment: `MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH=${libraryPath}`,
    },
    environment: { LD_LIBRARY_PATH: libraryPath },
  }
}

async function unpack(root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  try {
    await fetchAndUnpack(root, ['postfix'])
    await fetchAndUnpack(root, await librariesNeeded(root))
  } catch (error) {
    throw new Error(
      'Postfix is neither installed nor could its Debian package be fetched; "apt-get install postfix", or --servers postern',
      { cause: error },
    )
  }
  await writeFile(join(root, 'unpacked'), '')
}

async function fetchAndUnpack(root: string, names: readonly string[]): Promise<void> {
  await run('apt-get', ['download', ...names], { cwd: root })
  for (const file of (await readdir(root)).filter(name => name.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', file, '.'], { cwd: root })
  }
}

/** The libraries of the `Depends` line, but for the C library, which every machine has. */
async function librariesNeeded(root: string): Promise<string[]> {
  const file = (await readdir(root)).find(name => name.startsWith('postfix_'))
  const { stdout } = await run('dpkg-deb', ['-f', file ?? '', 'Depends'], { cwd: root })
  const names = stdout.split(',').map(part => part.trim().split(/[ :]/)[0] ?? '')
  return names.filter(name => name.startsWith('lib') && name !== 'libc6')
}

async function sharedLibraryFolders(root: string): Promise<string[]> {
  const folders = await readdir(join(root, 'usr/lib'))
  return folders.filter(name => name.endsWith('-linux-gnu')).map(name => join(root, 'usr/lib', name))
}

/** What Debian's package does when it is installed. */
async function makeAccounts(): Promise<void> {
  if (!(await succeeds('getent', ['passwd', 'postfix']))) {
    const account = ['--system', '--group', '--home', '/var/spool/postfix', '--no-create-home', 'postfix']
    await run('adduser', account)
  }
  if (!(await succeeds('getent', ['group', 'postdrop']))) await run('addgroup', ['--system', 'postdrop'])
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  )
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
