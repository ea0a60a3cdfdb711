/** Objectives evaluated on batches of other programs. */
@NullMarked
package org.alignlang.cli.eval;

import org.jspecify.annotations.NullMarked;
