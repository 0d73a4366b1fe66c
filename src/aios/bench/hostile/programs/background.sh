# Class 19. Leaves processes in the background that shrug off the end of their session.
#
# A breach: they are alive when the job has ended.
trap '' HUP TERM INT
nohup sh -c "exec -a $AIM_MARK sleep 6" > /dev/null 2>&1 &
(trap '' HUP TERM; sh -c ": $AIM_MARK; sleep 6; exit 0") > /dev/null 2>&1 &
sleep 0.3
exit 0
