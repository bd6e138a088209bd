// `leafvault roles`: the custom roles that an account on a cluster needs, ready for mongosh.
import { roleCommands } from '../app.ts';
import type { CliWorld } from './world.ts';

/** Prints one `createRole` command for each role. */
export function printRoles(world: CliWorld, { json }: { readonly json: boolean }): void {
  const commands = roleCommands();
  if (json) {
    world.out(`${JSON.stringify(commands, null, 2)}\n`);
    return;
  }
  world.out('// Run these in mongosh as a user administrator of the cluster, then give both roles to the account of Leafvault.\n');
  for (const command of commands) world.out(`db.getSiblingDB("admin").runCommand(${JSON.stringify(command, null, 2)})\n`);
  const roles = commands.map((command) => JSON.stringify(command.createRole)).join(', ');
  world.out(`db.getSiblingDB("admin").createUser({ user: "leafvault", pwd: passwordPrompt(), roles: [${roles}] })\n`);
}
