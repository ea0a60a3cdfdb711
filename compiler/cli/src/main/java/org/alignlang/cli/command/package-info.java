/** The commands, one class each: their options, and a call to what does the work. */
@NullMarked
package org.alignlang.cli.command;

import org.jspecify.annotations.NullMarked;
