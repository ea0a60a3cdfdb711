/** Running experiments from the command line: training, verifying, listing and comparing runs. */
@NullMarked
package org.alignlang.cli.run;

import org.jspecify.annotations.NullMarked;
