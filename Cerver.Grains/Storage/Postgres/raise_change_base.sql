-- Makes the next change have a higher number than all there are, and all that a server may have given out on which these sessions were before.
update change_base set base = due_change_base.base, server = due_change_base.server from due_change_base;
