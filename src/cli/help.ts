// The form of the help pages: what a command is for, then commands, operands and options in their groups.

import type { Command, Help } from 'commander';

/** Stands in for commander's own form, which puts options before commands. */
export function formatHelp(command: Command, helper: Help): string {
  const termWidth = helper.padWidth(command, helper);
  const width = helper.helpWidth ?? 80;
  const item = (term: string, description: string): string => helper.formatItem(term, termWidth, description, helper);
  const section = (heading: string, items: readonly string[]): readonly string[] =>
    items.length === 0 ? [] : [helper.styleTitle(heading), ...items, ''];

  const commands = helper.groupItems(
    [...command.commands],
    helper.visibleCommands(command),
    (subcommand) => subcommand.helpGroup() || 'Commands:',
  );
  const options = helper.groupItems(
    [...command.options],
    helper.visibleOptions(command),
    (option) => option.helpGroupHeading ?? 'Options:',
  );
  const operands = helper
    .visibleArguments(command)
    .map((argument) => item(helper.argumentTerm(argument), helper.argumentDescription(argument)));
  return [
    `${helper.styleTitle('Usage:')} ${helper.commandUsage(command)}`,
    '',
    helper.boxWrap(paragraphs(helper.commandDescription(command)), width),
    '',
    ...[...commands].flatMap(([heading, group]) =>
      section(
        heading,
        group.map((one) => item(helper.subcommandTerm(one), helper.subcommandDescription(one))),
      ),
    ),
    ...section('Operands:', operands),
    ...[...options].flatMap(([heading, group]) =>
      section(
        heading,
        group.map((one) => item(helper.optionTerm(one), helper.optionDescription(one))),
      ),
    ),
  ].join('\n');
}

/** Paragraphs are parted by an empty line; a single line end in the source is none in the text. */
export function paragraphs(text: string): string {
  return text.replaceAll(/(?<!\n)\n(?!\n)/g, ' ');
}
