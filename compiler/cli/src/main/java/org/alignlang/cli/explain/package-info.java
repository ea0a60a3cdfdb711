/** Explaining findings, objectives and divergences. */
@NullMarked
package org.alignlang.cli.explain;

import org.jspecify.annotations.NullMarked;
