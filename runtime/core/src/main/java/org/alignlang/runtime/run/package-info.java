/** The run store: run directories, checkpoints, and what can be read back from them. */
@NullMarked
package org.alignlang.runtime.run;

import org.jspecify.annotations.NullMarked;
